package model

import (
	"fmt"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"swarmfs/test/harness"
)

// TestSequences runs random sequences of operations by one process.
func TestSequences(t *testing.T) {
	p := newPair(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		sub, err := p.sub(fmt.Sprint("run", run))
		if err != nil {
			t.Fatal(err)
		}
		runSequence(t, rt, sub)
	})
}

func runSequence(t *testing.T, rt *rapid.T, p *pair) {
	m := newMachine(p,
		func(label string, n int) int { return uniform(n).Draw(rt, label) },
		func(message string) { rt.Fatal(message) })
	defer m.abandon()
	m.start()
	deck := weighted(actions)
	if p.fs != nil {
		deck = append(deck, action{name: "remount", run: func(m *machine) { m.remount(t, p.fs) }})
	}
	rt.Repeat(map[string]func(*rapid.T){
		"step": func(*rapid.T) { deck[m.pick("action", len(deck))].run(m) },
	})
	m.compareAll()
	m.closeAll()
	m.compareAll()
}

// uniform draws from [0, n) without the preference of rapid's integers for
// small numbers, with which most operations would never run. It shrinks to 0.
func uniform(n int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range bits.Len(uint(n)) + 5 { // enough to hide the unevenness of the remainder
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v |= 1
			}
		}
		return v % n
	})
}

// remount unmounts and mounts again, which must change nothing.
func (m *machine) remount(t *testing.T, fs *harness.FS) {
	m.closeAll()
	m.trace = append(m.trace, "remount")
	fs.Remount(t)
	m.compareAll()
}

// compareAll compares the trees and what is open.
func (m *machine) compareAll() {
	for _, h := range m.handles {
		m.both(fmt.Sprintf("compare %s", h), func(side int) outcome { return readHandle(h, side) })
	}
	if err := compareTrees(m.roots[local], m.roots[mount]); err != nil {
		m.mismatch("the trees differ: %v", err)
	}
}
