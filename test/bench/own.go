package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"swarmfs/swarmstore/content"
)

const (
	putSize = 4 << 30
	// listed100k is a directory as large as some mail and photo folders.
	listed100k = 100_000
	// nodesPerDir spreads the nodes of the memory test.
	nodesPerDir = 1000
	// idleTime lets the runtime give back memory before it is measured.
	idleTime = 5 * time.Second
)

// measureSwarmfs measures what the other file systems do not have.
func measureSwarmfs(o options, dir string) ([]figure, error) {
	e := &env{scale: o.scale}
	var figures []figure
	add := func(name, unit string, value float64) {
		if o.only.MatchString(name) {
			figures = append(figures, figure{Name: name, Unit: unit, Values: []float64{value}})
		}
	}
	steps := []struct {
		name string
		run  func() error
	}{
		{"chunk hashing, all CPUs", func() error {
			add("chunk hashing, all CPUs", "MB/s", hashRate(e.size(bigSize)))
			return nil
		}},
		{"put", func() error { return measurePut(o, e, dir, add) }},
		{"directory of 100,000", func() error { return measureListing(o, e, filepath.Join(dir, "listing"), add) }},
		{"memory", func() error { return measureMemory(o, e, filepath.Join(dir, "memory"), add) }},
	}
	for _, s := range steps {
		if !o.only.MatchString(s.name) {
			continue
		}
		progress("swarmfs: %s", s.name)
		if err := s.run(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	progress("")
	return figures, nil
}

// hashRate is the limit that sealing is measured against: chunks hashed on
// all CPUs, in MB/s.
func hashRate(size int64) float64 {
	data, h := noise(mib), content.NewHasher()
	cpus := runtime.GOMAXPROCS(0)
	per := size / mib / int64(cpus)
	took, _ := timed(func() error {
		var wg sync.WaitGroup
		for range cpus {
			wg.Go(func() {
				for range per {
					for off := 0; off < mib; off += pageSize {
						h.Chunk(pageSize, data[off:off+pageSize])
					}
				}
			})
		}
		wg.Wait()
		return nil
	})
	return float64(per*int64(cpus)*mib) / 1e6 / took.Seconds()
}

// measurePut runs swarmfs put on a large file that is in the page cache.
func measurePut(o options, e *env, dir string, add func(string, string, float64)) error {
	size := e.size(putSize)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	source := filepath.Join(dir, "source")
	if err := writeNoise(source, size); err != nil {
		return err
	}
	put := exec.Command(o.swarmfs, "--store", filepath.Join(dir, "store"), "put", source, "/big")
	took, err := timed(func() error { return succeed(put) })
	if err != nil {
		return err
	}
	usage := put.ProcessState.SysUsage().(*syscall.Rusage)
	add("put of 4 GiB: sealing", "MB/s", float64(size)/1e6/took.Seconds())
	add("put of 4 GiB: peak memory", "MB", float64(usage.Maxrss)*1024/1e6)
	return errors.Join(os.Remove(source), os.RemoveAll(filepath.Join(dir, "store")))
}

func writeNoise(path string, size int64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{2}), size)
	return errors.Join(err, f.Sync())
}

func measureListing(o options, e *env, dir string, add func(string, string, float64)) (err error) {
	n := e.count(listed100k)
	t := &target{name: "swarmfs", base: dir, start: startSwarmfs(o.swarmfs)}
	if err := t.mount(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.unmount()) }()
	listed := filepath.Join(t.dir(), "listed")
	took, err := makeEmpty(listed, n)
	if err != nil {
		return err
	}
	add("directory of 100,000: create empty files", "op/s", float64(n)/took.Seconds())
	if err := t.cool(); err != nil {
		return err
	}
	for _, temperature := range []string{"cold", "warm"} {
		took, err := list(listed, n)
		if err != nil {
			return err
		}
		add("directory of 100,000: list names, "+temperature, "op/s", float64(n)/took.Seconds())
	}
	return nil
}

func makeEmpty(dir string, n int) (time.Duration, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	return timed(func() error {
		for i := range n {
			if err := writeSmall(filepath.Join(dir, smallName(i)), nil, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// measureMemory looks at what a mount holds that has seen all its nodes.
func measureMemory(o options, e *env, dir string, add func(string, string, float64)) (err error) {
	n := e.count(o.nodes)
	t := &target{name: "swarmfs", base: dir, start: startSwarmfs(o.swarmfs)}
	if err := t.mount(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.unmount()) }()
	for made := 0; made < n; made += nodesPerDir {
		if _, err := makeEmpty(filepath.Join(t.dir(), fmt.Sprint("dir-", made)), min(nodesPerDir, n-made)); err != nil {
			return err
		}
	}
	if err := t.cool(); err != nil {
		return err
	}
	record := func(when string) error {
		time.Sleep(idleTime)
		resident, err := residentBytes(t.daemon.Process.Pid)
		add(fmt.Sprintf("memory of an idle mount with %d nodes, %s", n, when), "MB", float64(resident)/1e6)
		return err
	}
	if err := record("just mounted"); err != nil {
		return err
	}
	// find stats every node, which the kernel then remembers.
	out, err := exec.Command("find", t.dir(), "-size", "+1").CombinedOutput()
	if err != nil {
		return fmt.Errorf("find: %w\n%s", err, out)
	}
	if strings.TrimSpace(string(out)) != "" {
		return fmt.Errorf("files that are not empty: %s", out)
	}
	return record("after find")
}
