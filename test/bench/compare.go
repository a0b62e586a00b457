package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// result is what one workload gave on all targets.
type result struct {
	Workload string               `json:"workload"`
	Unit     string               `json:"unit"`
	Rates    map[string][]float64 `json:"rates"` // by target, one for each repetition
}

// compare runs all workloads on all targets.
func compare(o options, dir string, targets []*target) (results []result, err error) {
	e := &env{scale: o.scale, repository: filepath.Join(dir, "repository.git")}
	if err := makeRepository(e); err != nil {
		return nil, err
	}
	for _, w := range workloads {
		if o.only.MatchString(w.name) {
			results = append(results, result{Workload: w.name, Unit: w.unit, Rates: map[string][]float64{}})
		}
	}
	defer func() {
		for _, t := range targets {
			err = errors.Join(err, t.unmount())
		}
	}()
	for _, t := range targets {
		if err := t.mount(); err != nil {
			return nil, err
		}
	}
	for rep := range o.reps {
		if err := repeat(e, rep, targets, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// repeat runs every workload once on every target. Those that are not asked
// for run as well when they make files that others need.
func repeat(e *env, rep int, targets []*target, results []result) error {
	work := fmt.Sprintf("rep-%d", rep)
	for _, t := range targets {
		listed := filepath.Join(t.dir(), work, "listed")
		if _, err := create(listed, e.count(listedFiles), false); err != nil {
			return err
		}
	}
	for _, w := range workloads {
		wanted := find(results, w.name)
		for i := range targets {
			t := targets[(i+rep)%len(targets)]
			progress("%d: %s on %s", rep+1, w.name, t.name)
			rate, err := measure(e, w, t, work, wanted != nil)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", w.name, t.name, err)
			}
			if wanted != nil {
				wanted.Rates[t.name] = append(wanted.Rates[t.name], rate)
			}
		}
	}
	progress("")
	for _, t := range targets {
		if err := os.RemoveAll(filepath.Join(t.dir(), work)); err != nil {
			return err
		}
	}
	return nil
}

func find(results []result, name string) *result {
	for i := range results {
		if results[i].Workload == name {
			return &results[i]
		}
	}
	return nil
}

// measure returns how much work a target does in a second.
func measure(e *env, w workload, t *target, work string, careful bool) (float64, error) {
	prepare := t.settle
	switch {
	case !careful:
		prepare = func() error { return nil }
	case w.cold:
		prepare = t.cool
	}
	if err := prepare(); err != nil {
		return 0, err
	}
	dir := filepath.Join(t.dir(), work)
	if w.warm {
		if _, _, err := w.run(e, dir); err != nil {
			return 0, err
		}
	}
	done, took, err := w.run(e, dir)
	return done / took.Seconds(), err
}

const checkoutFiles = 4_000

// makeRepository makes what checkOut checks out: files of the sizes that
// source code has, mostly a few KiB.
func makeRepository(e *env) error {
	if err := succeed(exec.Command("git", "init", "-q", "--bare", "-b", "main", e.repository)); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("commit refs/heads/main\ncommitter B <b@example.org> 1600000000 +0000\ndata 0\n\n")
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range e.count(checkoutFiles) {
		line := fmt.Sprintf("line of file %d\n", i)
		text := strings.Repeat(line, 1+int(rng.ExpFloat64()*400))
		fmt.Fprintf(&b, "M 100644 inline dir%d/sub%d/file%d.go\ndata %d\n%s\n", i%20, i%200, i, len(text), text)
	}
	b.WriteString("done\n")
	load := exec.Command("git", "--git-dir", e.repository, "fast-import", "--quiet")
	load.Stdin = strings.NewReader(b.String())
	return succeed(load)
}
