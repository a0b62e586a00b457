package model

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	workers        = 4
	workerSteps    = 600
	workerDeadline = 5 * time.Minute
)

// TestProcesses runs several processes at once, each in its own subtree and all
// in one file with ranges of their own.
func TestProcesses(t *testing.T) {
	p := newPair(t)
	if err := prepareShared(p, workers); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			startWorker(t, job{Local: p.local, Mount: p.mount, Number: n, Of: workers, Seed: seed, Steps: workerSteps})
		})
	}
	wg.Wait()
	if err := hasFullStripes(filepath.Join(p.local, sharedFile)); err != nil {
		t.Fatal(err)
	}
	takeLog(t, p, workers)
	compareNow(t, p)
	if p.fs != nil {
		p.fs.Remount(t)
		compareNow(t, p)
	}
}

// takeLog checks the log that the workers appended to and removes it, for it is
// on one side only.
func takeLog(t *testing.T, p *pair, workers int) {
	t.Helper()
	path := filepath.Join(p.mount, logFile)
	if err := checkLog(path, workers); err != nil {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

// startWorker runs a job in a process of its own and waits for it.
func startWorker(t *testing.T, j job) {
	input, err := json.Marshal(j)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), workerDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("worker %d: %v\n%s", j.Number, err, out)
	}
}

func compareNow(t *testing.T, p *pair) {
	t.Helper()
	if err := compareTrees(p.local, p.mount); err != nil {
		t.Error(err)
	}
}
