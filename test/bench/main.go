// Command bench measures swarmfs beside a plain directory and go-fuse's
// loopback file system, which is what FUSE itself costs.
//
// All three are measured in one run, taking turns: each workload runs on one
// after the other before the next begins, the order rotates with each
// repetition, and the table shows medians. So that the comparison is fair, the
// kernel's caches are treated alike on all sides: before each measurement dirty
// pages are written back and the daemons have come to rest; before a cold one
// the FUSE file systems are mounted anew and the page cache is dropped, for
// all. All three keep their files below one directory (--dir), which must not
// be a tmpfs for the result to mean anything.
//
// After that come figures that only swarmfs has: how fast it hashes and seals,
// and what memory it takes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
)

// options are the command line's.
type options struct {
	swarmfs  string
	dir      string
	scale    float64
	reps     int
	only     *regexp.Regexp
	jsonFile string
	nodes    int
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags() (options, error) {
	var o options
	flag.StringVar(&o.swarmfs, "swarmfs", "bin/swarmfs", "the `program` to measure")
	flag.StringVar(&o.dir, "dir", "/var/tmp", "where all files of the run lie")
	flag.Float64Var(&o.scale, "scale", 1, "`factor` for sizes and counts")
	flag.IntVar(&o.reps, "reps", 3, "repetitions")
	only := flag.String("only", "", "measure only what matches this regular `expression`")
	flag.StringVar(&o.jsonFile, "json", "", "write all measurements to this `file`")
	flag.IntVar(&o.nodes, "nodes", 100_000, "nodes of the mount whose memory is measured")
	full := flag.Bool("full", false, "the same as --nodes 1000000")
	flag.Parse()
	if *full {
		o.nodes = 1_000_000
	}
	if flag.NArg() > 0 || o.scale <= 0 || o.reps < 1 || o.nodes < 1 {
		return o, errors.New("bad arguments; see --help")
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.swarmfs, err = filepath.Abs(o.swarmfs)
	return o, err
}

func run() (err error) {
	o, err := parseFlags()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can mount and drop the kernel's caches")
	}
	dir, err := os.MkdirTemp(o.dir, "swarmfs-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	loopback := filepath.Join(dir, "loopback-program")
	if err := buildLoopback(loopback); err != nil {
		return err
	}
	targets := []*target{
		{name: "ext4", base: filepath.Join(dir, "ext4")},
		{name: "loopback", base: filepath.Join(dir, "loopback"), start: startLoopback(loopback)},
		{name: "swarmfs", base: filepath.Join(dir, "swarmfs"), start: startSwarmfs(o.swarmfs)},
	}
	results, err := compare(o, dir, targets)
	if err != nil {
		return err
	}
	own, err := measureSwarmfs(o, filepath.Join(dir, "own"))
	if err != nil {
		return err
	}
	report := report{CPUs: runtime.NumCPU(), Scale: o.scale, Compared: results, Own: own}
	report.print(os.Stdout)
	return report.save(o.jsonFile)
}

func buildLoopback(path string) error {
	out, err := exec.Command("go", "build", "-o", path, "github.com/hanwen/go-fuse/v2/example/loopback").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building go-fuse's loopback: %w\n%s", err, out)
	}
	return nil
}

// save writes the report as JSON, unless no file was asked for.
func (r report) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
