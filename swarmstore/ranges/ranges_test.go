package ranges_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swarmfs/swarmstore/ranges"
)

type rng = ranges.Range

// set returns the set of the given ranges.
func set(list ...rng) *ranges.Set {
	var s ranges.Set
	for _, r := range list {
		s.Add(r)
	}
	return &s
}

func TestAddJoinsWhatOverlapsOrTouches(t *testing.T) {
	for _, c := range []struct {
		name      string
		add, want []rng
	}{
		{"nothing", nil, nil},
		{"empty and reversed", []rng{{5, 5}, {7, 3}}, nil},
		{"append", []rng{{0, 4}, {4, 8}}, []rng{{0, 8}}},
		{"append behind a gap", []rng{{0, 4}, {5, 8}}, []rng{{0, 4}, {5, 8}}},
		{"same again", []rng{{0, 4}, {0, 4}}, []rng{{0, 4}}},
		{"inside the last", []rng{{0, 9}, {2, 4}}, []rng{{0, 9}}},
		{"over the last's end", []rng{{0, 9}, {5, 12}}, []rng{{0, 12}}},
		{"before the first", []rng{{8, 9}, {2, 4}}, []rng{{2, 4}, {8, 9}}},
		{"touching the first", []rng{{8, 9}, {2, 8}}, []rng{{2, 9}}},
		{"closing a gap", []rng{{0, 2}, {4, 6}, {2, 4}}, []rng{{0, 6}}},
		{"over several", []rng{{1, 2}, {4, 6}, {8, 9}, {20, 21}, {0, 10}}, []rng{{0, 10}, {20, 21}}},
		{"between", []rng{{0, 1}, {8, 9}, {4, 5}}, []rng{{0, 1}, {4, 5}, {8, 9}}},
		{"below zero", []rng{{-5, 3}, {-9, -1}}, []rng{{0, 3}}},
		{"up to the largest", []rng{{10, 20}, {0, math.MaxInt64}}, []rng{{0, math.MaxInt64}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := set(c.add...).All(); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	from := []rng{{10, 20}, {30, 40}, {50, 60}}
	for _, c := range []struct {
		name   string
		remove rng
		want   []rng
	}{
		{"empty", rng{15, 15}, from},
		{"a gap", rng{20, 30}, from},
		{"beyond", rng{60, 99}, from},
		{"the middle of one", rng{12, 15}, []rng{{10, 12}, {15, 20}, {30, 40}, {50, 60}}},
		{"the start", rng{0, 15}, []rng{{15, 20}, {30, 40}, {50, 60}}},
		{"the end", rng{15, 25}, []rng{{10, 15}, {30, 40}, {50, 60}}},
		{"one exactly", rng{30, 40}, []rng{{10, 20}, {50, 60}}},
		{"across all", rng{15, 55}, []rng{{10, 15}, {55, 60}}},
		{"everything", rng{math.MinInt64, math.MaxInt64}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(from...)
			s.Remove(c.remove)
			if got := s.All(); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestACloneIsIndependent(t *testing.T) {
	s := set(rng{0, 10}, rng{20, 30})
	clone := s.Clone()
	list := s.All()
	s.Add(rng{5, 25})
	list[1] = rng{}
	if want := []rng{{0, 10}, {20, 30}}; !slices.Equal(clone.All(), want) {
		t.Errorf("clone changed to %v", clone.All())
	}
	if want := []rng{{0, 30}}; !slices.Equal(s.All(), want) {
		t.Errorf("set changed to %v", s.All())
	}
}

// limit is the number of offsets of a model.
const limit = 64

// model is a set as one bool an offset.
type model [limit]bool

func (m *model) fill(r rng, v bool) {
	for i := max(r.Start, 0); i < min(r.End, limit); i++ {
		m[i] = v
	}
}

// runs returns the runs of v in r.
func (m *model) runs(r rng, v bool) []rng {
	var list []rng
	for i := r.Start; i < r.End; i++ {
		if m[i] != v {
			continue
		}
		if n := len(list); n > 0 && list[n-1].End == i {
			list[n-1].End++
		} else {
			list = append(list, rng{i, i + 1})
		}
	}
	return list
}

func drawRange(t *rapid.T, lowest int64) rng {
	return rng{
		Start: rapid.Int64Range(lowest, limit).Draw(t, "start"),
		End:   rapid.Int64Range(lowest, limit).Draw(t, "end"),
	}
}

func TestSetBehavesAsItsOffsets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			s ranges.Set
			m model
		)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				r := drawRange(t, -3)
				s.Add(r)
				m.fill(r, true)
			},
			"remove": func(t *rapid.T) {
				r := drawRange(t, -3)
				s.Remove(r)
				m.fill(r, false)
			},
			"clip": func(t *rapid.T) {
				end := rapid.Int64Range(-3, limit).Draw(t, "end")
				s.Clip(end)
				m.fill(rng{end, limit}, false)
			},
			"recode": func(t *rapid.T) {
				s = *recode(t, &s)
			},
			"": func(t *rapid.T) { compare(t, &s, &m) },
		})
	})
}

// recode encodes and decodes s.
func recode(t rapid.TB, s *ranges.Set) *ranges.Set {
	data, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ranges.ParseSet(data)
	if err != nil {
		t.Fatalf("parse %x: %v", data, err)
	}
	return parsed
}

// compare asks s everything and compares the answers with the model's.
func compare(t *rapid.T, s *ranges.Set, m *model) {
	all := m.runs(rng{0, limit}, true)
	var total int64
	for _, r := range all {
		total += r.Len()
	}
	if got := s.All(); !slices.Equal(got, all) {
		t.Fatalf("All: got %v, want %v", got, all)
	}
	if s.Len() != total || s.Count() != len(all) || s.Empty() != (total == 0) {
		t.Fatalf("Len %d, Count %d, Empty %t for %v", s.Len(), s.Count(), s.Empty(), all)
	}
	r := drawRange(t, 0)
	in, out := m.runs(r, true), m.runs(r, false)
	if got := s.Intersect(r); !slices.Equal(got, in) {
		t.Fatalf("Intersect(%v) of %v: got %v, want %v", r, all, got, in)
	}
	if got := s.Holes(r); !slices.Equal(got, out) {
		t.Fatalf("Holes(%v) of %v: got %v, want %v", r, all, got, out)
	}
	if got := s.Contains(r); got != (len(out) == 0) {
		t.Fatalf("Contains(%v) of %v: %t", r, all, got)
	}
	if got := s.Overlaps(r); got != (len(in) > 0) {
		t.Fatalf("Overlaps(%v) of %v: %t", r, all, got)
	}
}

func BenchmarkAddSequential(b *testing.B) {
	var s ranges.Set
	var off int64
	for b.Loop() {
		s.Add(rng{off, off + 4096})
		off += 4096
	}
}

// Random 4 KiB writes all over a file of 1 GiB, until every byte is written:
// the list grows to 65,000 ranges before they grow together.
func BenchmarkAddRandomGiB(b *testing.B) {
	const blocks = 1 << 30 / 4096
	order := rand.New(rand.NewPCG(1, 2)).Perm(blocks)
	for b.Loop() {
		var s ranges.Set
		for _, i := range order {
			s.Add(rng{int64(i) * 4096, int64(i+1) * 4096})
		}
		if s.Count() != 1 {
			b.Fatalf("%d ranges left", s.Count())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/blocks, "ns/add")
}
