package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The workloads on many small files.

func smallName(i int) string { return fmt.Sprintf("file-%06d", i) }

func writeSmall(path string, content []byte, sync bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// create writes n files of 4 KiB into a new directory.
func create(dir string, n int, sync bool) (time.Duration, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	content := noise(pageSize)
	return timed(func() error {
		for i := range n {
			copy(content, smallName(i)) // no two are the same
			if err := writeSmall(filepath.Join(dir, smallName(i)), content, sync); err != nil {
				return err
			}
		}
		return nil
	})
}

func small(dir string) string { return filepath.Join(dir, "small") }

func createSmall(e *env, dir string) (float64, time.Duration, error) {
	n := e.count(smallFiles)
	took, err := create(small(dir), n, false)
	return float64(n), took, err
}

func createSynced(e *env, dir string) (float64, time.Duration, error) {
	n := e.count(smallFiles / 10)
	took, err := create(filepath.Join(dir, "synced"), n, true)
	return float64(n), took, errors.Join(err, os.RemoveAll(filepath.Join(dir, "synced")))
}

func listSmall(e *env, dir string) (float64, time.Duration, error) {
	n := e.count(smallFiles)
	took, err := list(small(dir), n)
	return float64(n), took, err
}

// list reads the names of a directory of n entries.
func list(dir string, n int) (time.Duration, error) {
	return timed(func() error {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer f.Close() // only read from
		names, err := f.Readdirnames(-1)
		if err == nil && len(names) != n {
			err = fmt.Errorf("%s has %d names, want %d", dir, len(names), n)
		}
		return err
	})
}

// each times fn on each of the small files.
func each(e *env, dir string, fn func(path string) error) (float64, time.Duration, error) {
	n := e.count(smallFiles)
	took, err := timed(func() error {
		for i := range n {
			if err := fn(filepath.Join(small(dir), smallName(i))); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(n), took, err
}

func statSmall(e *env, dir string) (float64, time.Duration, error) {
	return each(e, dir, func(path string) error {
		_, err := os.Lstat(path)
		return err
	})
}

func readSmall(e *env, dir string) (float64, time.Duration, error) {
	return each(e, dir, func(path string) error {
		got, err := os.ReadFile(path)
		if err == nil && len(got) != pageSize {
			err = fmt.Errorf("%s has %d bytes", path, len(got))
		}
		return err
	})
}

func unlinkSmall(e *env, dir string) (float64, time.Duration, error) {
	return each(e, dir, os.Remove)
}

// listLong runs ls -l, which asks for the attributes and the ACL of each file.
func listLong(e *env, dir string) (float64, time.Duration, error) {
	n, listed := e.count(listedFiles), filepath.Join(dir, "listed")
	took, err := timed(func() error { return succeed(exec.Command("ls", "-l", listed)) })
	return float64(n), took, err
}

func makeTree(e *env, dir string) (float64, time.Duration, error) {
	const fan = 10
	n, tree := e.count(treeDirs), filepath.Join(dir, "tree")
	took, err := timed(func() error {
		for i := range n {
			path := filepath.Join(tree, fmt.Sprint(i%fan), fmt.Sprint(i/fan%fan), fmt.Sprint(i/fan/fan))
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(n), took, errors.Join(err, os.RemoveAll(tree))
}
