package crash

import (
	"errors"
	"math/rand/v2"
	"testing"
)

func TestContentCheck(t *testing.T) {
	const name = "f"
	gen := func(first, n int, g uint64) []byte { return cells(name, int64(first)*CellSize, n, g) }
	join := func(parts ...[]byte) []byte {
		var all []byte
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	zeros := func(n int) []byte { return make([]byte, n) }

	tests := []struct {
		name   string
		enter  func(c *content)
		got    []byte
		expect error
	}{
		{"empty", func(c *content) {}, nil, nil},
		{"bytes from nowhere", func(c *content) {}, gen(0, 1, 1), errForeign},
		{"unsynced write there", func(c *content) { c.write(0, 2, 1) }, gen(0, 2, 1), nil},
		{"unsynced write lost", func(c *content) { c.write(0, 2, 1) }, nil, nil},
		{"unsynced write in part", func(c *content) { c.write(0, 2, 1) }, join(zeros(CellSize), gen(1, 1, 1)), nil},
		{"synced write there", func(c *content) { c.write(0, 2, 1); c.synced() }, gen(0, 2, 1), nil},
		{"synced write lost", func(c *content) { c.write(0, 2, 1); c.synced() }, nil, errLost},
		{"synced write short", func(c *content) { c.write(0, 2, 1); c.synced() }, gen(0, 1, 1), errLost},
		{"synced write zeroed", func(c *content) { c.write(0, 2, 1); c.synced() }, join(gen(0, 1, 1), zeros(CellSize)), errLost},
		{
			"tearable cell torn",
			func(c *content) { c.tearable = true; c.write(0, 1, 1); c.synced(); c.write(0, 1, 2) },
			join(gen(0, 1, 2)[:100], gen(0, 1, 1)[100:]), nil,
		},
		{
			"synced tearable cell torn",
			func(c *content) { c.tearable = true; c.write(0, 1, 1); c.write(0, 1, 2); c.synced() },
			join(gen(0, 1, 2)[:100], gen(0, 1, 1)[100:]), errForeign,
		},
		{
			"other cell torn",
			func(c *content) { c.write(0, 1, 1); c.synced(); c.write(0, 1, 2) },
			join(gen(0, 1, 2)[:100], gen(0, 1, 1)[100:]), errForeign,
		},
		{
			"synced overwrite gone back",
			func(c *content) { c.write(0, 1, 1); c.synced(); c.write(0, 1, 2); c.synced() },
			gen(0, 1, 1), errLost,
		},
		{
			"unsynced overwrite gone back",
			func(c *content) { c.write(0, 1, 1); c.synced(); c.write(0, 1, 2) },
			gen(0, 1, 1), nil,
		},
		{
			"unsynced overwrite of synced bytes zeroed",
			func(c *content) { c.write(0, 1, 1); c.synced(); c.write(0, 1, 2) },
			zeros(CellSize), errLost,
		},
		{"cell of another place", func(c *content) { c.write(0, 2, 1) }, join(gen(1, 1, 1), gen(1, 1, 1)), errForeign},
		{"cell of another file", func(c *content) { c.write(0, 1, 1) }, cells("g", 0, 1, 1), errForeign},
		{"hole", func(c *content) { c.write(1, 1, 1); c.synced() }, join(zeros(CellSize), gen(1, 1, 1)), nil},
		{"cut", func(c *content) { c.write(0, 1, 1); c.truncate(100); c.synced() }, gen(0, 1, 1)[:100], nil},
		{"synced cut undone", func(c *content) { c.write(0, 1, 1); c.truncate(100); c.synced() }, gen(0, 1, 1), errForeign},
		{
			"unsynced cut undone",
			func(c *content) { c.write(0, 1, 1); c.synced(); c.truncate(100) },
			gen(0, 1, 1), nil,
		},
		{
			"cut and grown",
			func(c *content) { c.write(0, 1, 1); c.truncate(100); c.truncate(CellSize); c.synced() },
			join(gen(0, 1, 1)[:100], zeros(CellSize-100)), nil,
		},
		{
			"cut bytes back after growing",
			func(c *content) { c.write(0, 1, 1); c.truncate(100); c.truncate(CellSize); c.synced() },
			gen(0, 1, 1), errLost,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newContent(name)
			tt.enter(c)
			if err := c.check(tt.got); !errors.Is(err, tt.expect) {
				t.Fatalf("check: %v, want %v", err, tt.expect)
			}
		})
	}
}

// A file that no crash touches always fits its account, and a bit flipped in it never does.
func TestContentFollowsAFile(t *testing.T) {
	const name = "f"
	rng := rand.New(rand.NewPCG(1, 2))
	c := newContent(name)
	var file []byte
	grow := func(n int) {
		for len(file) < n {
			file = append(file, 0)
		}
	}
	for gen := uint64(1); gen < 2000; gen++ {
		switch rng.IntN(6) {
		case 0:
			size := rng.IntN(20 * CellSize)
			c.truncate(int64(size))
			grow(size)
			file = file[:size:size]
		case 1:
			c.synced()
		case 2:
			first, n := rng.IntN(16), 1+rng.IntN(4)
			c.punch(first, n)
			for at := first * CellSize; at < min((first+n)*CellSize, len(file)); at++ {
				file[at] = 0
			}
		default:
			first, n := rng.IntN(16), 1+rng.IntN(4)
			c.write(first, n, gen)
			grow((first + n) * CellSize)
			copy(file[first*CellSize:], cells(name, int64(first)*CellSize, n, gen))
		}
		if err := c.clone().check(file); err != nil {
			t.Fatalf("generation %d: %v", gen, err)
		}
		if len(file) > 0 {
			at := rng.IntN(len(file))
			file[at] ^= 1
			if c.clone().check(file) == nil {
				t.Fatalf("generation %d: a wrong byte at %d goes unnoticed", gen, at)
			}
			file[at] ^= 1
		}
	}
}

func FuzzParseCell(f *testing.F) {
	f.Add(cells("name", 512, 1, 7))
	f.Add(make([]byte, CellSize))
	f.Add([]byte(cellMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := parseCell(b)
		if err != nil {
			return
		}
		if id.off < 0 || len(id.name) > maxCellName {
			return
		}
		// The checksum covers everything, so only cells of our own making parse;
		// what they say must lead back to the same place.
		again, err := parseCell(cells(id.name, id.off, 1, id.gen))
		if err != nil || again != id {
			t.Fatalf("%v became %v, %v", id, again, err)
		}
	})
}
