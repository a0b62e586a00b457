package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// workload is one thing that is measured on every target. Workloads run in
// order and use the files that earlier ones have left.
type workload struct {
	name string
	unit string // of work per second
	cold bool   // with cold caches
	warm bool   // with caches that the same workload has warmed before
	// run works below dir and returns how much work it did in what time.
	run func(e *env, dir string) (work float64, took time.Duration, err error)
}

// env is what the workloads share.
type env struct {
	scale float64
	// repository is a bare git repository to check out from.
	repository string
}

// count scales a number of things.
func (e *env) count(n int) int { return max(1, int(float64(n)*e.scale)) }

// size scales a number of bytes to whole MiB.
func (e *env) size(n int64) int64 { return max(4*mib, int64(float64(n)*e.scale)/mib*mib) }

const (
	mib      = 1 << 20
	pageSize = 4096

	bigSize     = 1 << 30
	smallFiles  = 10_000
	listedFiles = 2_000
	randomReads = 8_000
	randomWrite = 40_000
	// syncEvery is what a database with group commit does.
	syncEvery   = 64
	syncedWrite = 4_000
	treeDirs    = 4_000
)

var workloads = []workload{
	{name: "write 1 GiB, fsync", unit: "MB/s", run: writeBig},
	{name: "read 1 GiB, cold", unit: "MB/s", cold: true, run: readBig},
	{name: "read 1 GiB, warm", unit: "MB/s", warm: true, run: readBig},
	{name: "random 4 KiB read, cold", unit: "op/s", cold: true, run: readRandom},
	{name: "random 4 KiB read, warm", unit: "op/s", warm: true, run: readRandom},
	{name: "random 4 KiB write", unit: "op/s", run: func(e *env, dir string) (float64, time.Duration, error) {
		return writeRandom(e, dir, e.count(randomWrite), 0)
	}},
	{name: "random 4 KiB write, fsync each 64", unit: "op/s", run: func(e *env, dir string) (float64, time.Duration, error) {
		return writeRandom(e, dir, e.count(syncedWrite), syncEvery)
	}},
	{name: "create 10,000 files of 4 KiB", unit: "op/s", run: createSmall},
	{name: "list their names, cold", unit: "op/s", cold: true, run: listSmall},
	{name: "list their names, warm", unit: "op/s", warm: true, run: listSmall},
	{name: "stat all, cold", unit: "op/s", cold: true, run: statSmall},
	{name: "stat all, warm", unit: "op/s", warm: true, run: statSmall},
	{name: "read all, cold", unit: "op/s", cold: true, run: readSmall},
	{name: "create, fsync each", unit: "op/s", run: createSynced},
	{name: "unlink all", unit: "op/s", run: unlinkSmall},
	{name: "ls -l of 2,000 files, cold", unit: "op/s", cold: true, run: listLong},
	{name: "ls -l of 2,000 files, warm", unit: "op/s", warm: true, run: listLong},
	{name: "mkdir 4,000", unit: "op/s", run: makeTree},
	{name: "git checkout", unit: "op/s", run: checkOut},
	{name: "rm -rf of the checkout, cold", unit: "op/s", cold: true, run: removeCheckout},
}

// timed measures fn.
func timed(fn func() error) (time.Duration, error) {
	start := time.Now()
	err := fn()
	return time.Since(start), err
}

func big(dir string) string { return filepath.Join(dir, "big") }

// noise returns bytes that neither compress nor repeat.
func noise(n int64) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	_, _ = rng.Read(b) // never fails
	return b
}

func writeBig(e *env, dir string) (float64, time.Duration, error) {
	size, chunk := e.size(bigSize), noise(mib)
	took, err := timed(func() error {
		f, err := os.Create(big(dir))
		if err != nil {
			return err
		}
		defer f.Close() // fsync has the say
		for off := int64(0); off < size; off += mib {
			chunk[0], chunk[1] = byte(off>>20), byte(off>>28) // no two blocks are the same
			if _, err := f.Write(chunk); err != nil {
				return err
			}
		}
		return f.Sync()
	})
	return float64(size) / 1e6, took, err
}

func readBig(e *env, dir string) (float64, time.Duration, error) {
	size, buf := e.size(bigSize), make([]byte, mib)
	took, err := timed(func() error {
		f, err := os.Open(big(dir))
		if err != nil {
			return err
		}
		defer f.Close() // only read from
		for off := int64(0); off < size; off += mib {
			if _, err := f.ReadAt(buf, off); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(size) / 1e6, took, err
}

func readRandom(e *env, dir string) (float64, time.Duration, error) {
	n, pages := e.count(randomReads), e.size(bigSize)/pageSize
	rng, buf := rand.New(rand.NewPCG(3, 3)), make([]byte, pageSize)
	f, err := os.Open(big(dir))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() // only read from
	took, err := timed(func() error {
		for range n {
			if _, err := f.ReadAt(buf, rng.Int64N(pages)*pageSize); err != nil {
				return err
			}
		}
		return nil
	})
	return float64(n), took, err
}

// writeRandom overwrites pages; sync is after how many to fsync, 0 for never.
// Writing back what is then dirty is not measured: settle does that.
func writeRandom(e *env, dir string, n, sync int) (float64, time.Duration, error) {
	pages := e.size(bigSize) / pageSize
	rng, buf := rand.New(rand.NewPCG(4, uint64(sync))), noise(pageSize)
	f, err := os.OpenFile(big(dir), os.O_RDWR, 0)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() // a lost error would show in settle
	took, err := timed(func() error {
		for i := range n {
			if _, err := f.WriteAt(buf, rng.Int64N(pages)*pageSize); err != nil {
				return err
			}
			if sync > 0 && (i+1)%sync == 0 {
				if err := f.Sync(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return float64(n), took, err
}

// checkOut lets git write a working tree of some thousand files. Its index is
// not on the target.
func checkOut(e *env, dir string) (float64, time.Duration, error) {
	work := filepath.Join(dir, "checkout")
	if err := os.MkdirAll(work, 0o755); err != nil {
		return 0, 0, err
	}
	index, err := os.MkdirTemp("", "bench-index-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(index) // left behind, it harms nobody
	cmd := exec.Command("git", "--git-dir", e.repository, "--work-tree", work, "checkout", "-q", "-f", "main", "--", ".")
	cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+filepath.Join(index, "index"))
	took, err := timed(func() error { return succeed(cmd) })
	return float64(e.count(checkoutFiles)), took, err
}

func removeCheckout(e *env, dir string) (float64, time.Duration, error) {
	took, err := timed(func() error { return succeed(exec.Command("rm", "-rf", filepath.Join(dir, "checkout"))) })
	return float64(e.count(checkoutFiles)), took, err
}

// succeed runs a program and puts its output into the error.
func succeed(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
