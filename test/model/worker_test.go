package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// workerEnv is set in the environment of a worker process.
const workerEnv = "SWARMFS_MODEL_WORKER"

// A job is what one of several processes does at the same time as the others.
type job struct {
	Local, Mount string // the directories that are compared
	Number, Of   int    // this worker among all
	Seed         uint64
	Steps        int
}

const (
	sharedFile   = "shared"
	logFile      = "log"    // all workers append to it; on the mount only, as the order is open
	logLines     = 200      // of each worker
	stripe       = 40 << 10 // neither a multiple nor a divisor of the block
	stripes      = 120      // of the shared file, dealt to the workers in turn
	stripesPause = 10       // steps of the machine between two stripes
)

// errMismatch ends a worker whose sides differ.
var errMismatch = errors.New("mismatch")

// runWorker is the main function of a worker process.
func runWorker(in io.Reader, stderr io.Writer) int {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		fmt.Fprintln(stderr, "reading the job:", err)
		return 2
	}
	if err := j.run(); err != nil {
		fmt.Fprintf(stderr, "worker %d: %v\n", j.Number, err)
		return 1
	}
	return 0
}

// run does random operations in a subtree of its own and, in between, writes its
// stripes of the file that all workers share.
func (j job) run() (err error) {
	own := &pair{local: filepath.Join(j.Local, j.dir()), mount: filepath.Join(j.Mount, j.dir())}
	rnd := rand.New(rand.NewPCG(j.Seed, uint64(j.Number)))
	m := newMachine(own,
		func(_ string, n int) int { return rnd.IntN(n) },
		func(message string) { panic(fmt.Errorf("%w: %s", errMismatch, message)) })
	defer func() {
		if p := recover(); p != nil {
			cause, ok := p.(error)
			if !ok || !errors.Is(cause, errMismatch) {
				panic(p)
			}
			err = cause
		}
	}()
	m.start()
	deck := weighted(actions)
	next := j.Number
	for step := range j.Steps {
		if step < logLines {
			if err := j.appendLine(step); err != nil {
				return err
			}
		}
		deck[rnd.IntN(len(deck))].run(m)
		if step%stripesPause == 0 && next < stripes {
			if err := j.writeStripe(next); err != nil {
				return err
			}
			next += j.Of
		}
	}
	m.compareAll()
	m.closeAll()
	return nil
}

func (j job) dir() string { return fmt.Sprint("worker", j.Number) }

// line is what a worker appends as its n-th line, the lengths of which vary.
func (j job) line(n int) string {
	return fmt.Sprintf("worker %d line %d %s\n", j.Number, n, strings.Repeat("x", (n*37+j.Number)%500))
}

// appendLine appends with O_APPEND, which must not overwrite what another
// process appends meanwhile.
func (j job) appendLine(n int) error {
	f, err := os.OpenFile(filepath.Join(j.Mount, logFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(j.line(n)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// checkLog checks that the log has each line of each worker whole and once, and
// those of each worker in order.
func checkLog(path string, workers int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	next := make([]int, workers)
	for line := range strings.Lines(string(text)) {
		var worker, n int
		if _, err := fmt.Sscanf(line, "worker %d line %d", &worker, &n); err != nil || worker >= workers {
			return fmt.Errorf("%s: damaged line %q", path, line)
		}
		if n != next[worker] || line != (job{Number: worker}).line(n) {
			return fmt.Errorf("%s: found %q, want line %d of worker %d", path, line, next[worker], worker)
		}
		next[worker]++
	}
	for worker, n := range next {
		if n != logLines {
			return fmt.Errorf("%s: %d lines of worker %d, want %d", path, n, worker, logLines)
		}
	}
	return nil
}

// writeStripe writes one range of the shared file, which no other worker writes.
func (j job) writeStripe(n int) error {
	data := make([]byte, stripe)
	for i := range data {
		data[i] = byte(n*7 + i%251 + 1)
	}
	for _, root := range []string{j.Local, j.Mount} {
		if err := writeRange(filepath.Join(root, sharedFile), data, int64(n)*stripe); err != nil {
			return err
		}
	}
	return nil
}

func writeRange(path string, data []byte, off int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(data, off); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// prepareShared makes what the workers find: the shared file and a subtree each.
func prepareShared(p *pair, workers int) error {
	for _, root := range []string{p.local, p.mount} {
		f, err := os.Create(filepath.Join(root, sharedFile))
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	for n := range workers {
		if _, err := p.sub(job{Number: n}.dir()); err != nil {
			return err
		}
	}
	return nil
}

// hasFullStripes checks that each worker wrote all of its stripes, so that the
// comparison of the shared file means something.
func hasFullStripes(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Size != stripe*stripes {
		return fmt.Errorf("%s has %d bytes, want %d", path, st.Size, stripe*stripes)
	}
	return nil
}
