// Package model compares a mounted swarmfs with a local file system: the same
// random operations run on a directory of each, and every result, and in the
// end every node, must be equal.
//
//	go test ./test/model                          # mounts a fresh swarmfs
//	go test ./test/model -dir /mnt/there          # an existing mount
//	go test ./test/model -rapid.checks=1000       # longer
//	go test ./test/model -rapid.seed=N            # again
//
// The local directory is a temporary one; set TMPDIR to a file system that
// supports user and trusted extended attributes, such as ext4.
//
// What local file systems may do differently is not compared: the size of
// directories, the order of their entries, where holes are, access times, and
// times that are not set explicitly (only that they were updated).
package model

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"swarmfs/test/harness"
)

var dirFlag = flag.String("dir", "", "directory to compare with a local one; empty: mount a fresh swarmfs")

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) != "" {
		os.Exit(runWorker(os.Stdin, os.Stderr))
	}
	flag.Parse()
	setDefaults()
	os.Exit(harness.Main(m))
}

// setDefaults makes sequences long enough to meet themselves: the paths and
// offsets are drawn from a few. A failure names the seed that repeats it.
func setDefaults() {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": "40", "rapid.steps": "250", "rapid.nofailfile": "true"} {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			panic(err) // the flag is rapid's own
		}
	}
}

// A pair is the two directories that are compared.
type pair struct {
	local string
	mount string
	fs    *harness.FS // nil if the mount is not ours
}

func newPair(t *testing.T) *pair {
	t.Helper()
	harness.RequireRoot(t)
	p := &pair{local: t.TempDir()}
	if *dirFlag == "" {
		p.fs = harness.Mount(t, harness.Options{})
		p.mount = p.fs.Dir
		return p
	}
	dir, err := filepath.Abs(*dirFlag)
	if err != nil {
		t.Fatal(err)
	}
	p.mount, err = os.MkdirTemp(dir, "model-")
	if err != nil {
		t.Fatal(err)
	}
	// As that of the local side.
	if err := os.Chmod(p.mount, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(p.mount); err != nil {
			t.Errorf("removing what the test left: %v", err)
		}
	})
	return p
}

// sub makes a directory of the same name on both sides.
func (p *pair) sub(name string) (*pair, error) {
	s := &pair{local: filepath.Join(p.local, name), mount: filepath.Join(p.mount, name), fs: p.fs}
	for _, dir := range []string{s.local, s.mount} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	return s, nil
}
