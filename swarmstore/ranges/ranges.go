// Package ranges keeps sets of byte ranges of a file, such as "these bytes
// are staged".
//
// A Set is an ordered list of disjoint half-open ranges, with neighbours that
// touch joined into one, so that a set of offsets has exactly one form.
// Extending the last range, which is what sequential writing does, costs no
// search; everything else is a binary search and one move of the list's tail.
//
// A Set is not safe for concurrent use, and it knows nothing of what lies in
// the ranges.
package ranges

import (
	"slices"
	"sort"
)

// Range is the half-open interval [Start, End). It is empty if Start >= End.
type Range struct {
	Start, End int64
}

// Empty reports whether r holds no offset.
func (r Range) Empty() bool { return r.Start >= r.End }

// Len returns the number of offsets in r.
func (r Range) Len() int64 {
	if r.Empty() {
		return 0
	}
	return r.End - r.Start
}

// intersect returns the offsets that are in both ranges.
func (r Range) intersect(o Range) Range {
	return Range{Start: max(r.Start, o.Start), End: min(r.End, o.End)}
}

// Set is a set of file offsets. The zero value is empty and ready to use.
// Offsets below zero do not exist: they are cut off what is added.
type Set struct {
	list  []Range // ordered, none empty, no two of them touch
	total int64   // sum of their lengths
}

// Add puts the offsets of r into the set.
func (s *Set) Add(r Range) {
	r.Start = max(r.Start, 0)
	if r.Empty() || s.addAtEnd(r) {
		return
	}
	// All ranges that overlap or touch r become one with it.
	first := sort.Search(len(s.list), func(i int) bool { return s.list[i].End >= r.Start })
	last := first + sort.Search(len(s.list)-first, func(i int) bool { return s.list[first+i].Start > r.End })
	if first < last {
		r.Start = min(r.Start, s.list[first].Start)
		r.End = max(r.End, s.list[last-1].End)
	}
	s.replace(first, last, r)
}

// addAtEnd adds r if it begins in, or after, the last range.
func (s *Set) addAtEnd(r Range) bool {
	if len(s.list) == 0 {
		s.list = append(s.list, r)
		s.total = r.Len()
		return true
	}
	last := &s.list[len(s.list)-1]
	switch {
	case r.Start < last.Start:
		return false
	case r.Start > last.End:
		s.list = append(s.list, r)
		s.total += r.Len()
	case r.End > last.End:
		s.total += r.End - last.End
		last.End = r.End
	}
	return true
}

// Remove takes the offsets of r out of the set.
func (s *Set) Remove(r Range) {
	if r.Empty() {
		return
	}
	first, last := s.overlapping(r.Start, r.End)
	if first == last {
		return
	}
	left := Range{Start: s.list[first].Start, End: r.Start}
	right := Range{Start: r.End, End: s.list[last-1].End}
	keep := make([]Range, 0, 2)
	for _, k := range [...]Range{left, right} {
		if !k.Empty() {
			keep = append(keep, k)
		}
	}
	s.replace(first, last, keep...)
}

// Clip takes out everything at and after end, as truncating a file does.
func (s *Set) Clip(end int64) {
	if n := len(s.list); n > 0 {
		s.Remove(Range{Start: end, End: s.list[n-1].End})
	}
}

// Contains reports whether every offset of r is in the set.
func (s *Set) Contains(r Range) bool {
	if r.Empty() {
		return true
	}
	first, last := s.overlapping(r.Start, r.End)
	return first < last && s.list[first].Start <= r.Start && r.End <= s.list[first].End
}

// Overlaps reports whether any offset of r is in the set.
func (s *Set) Overlaps(r Range) bool {
	first, last := s.overlapping(r.Start, r.End)
	return first < last
}

// Intersect returns what of within is in the set, in order.
func (s *Set) Intersect(within Range) []Range {
	first, last := s.overlapping(within.Start, within.End)
	if first == last {
		return nil
	}
	parts := slices.Clone(s.list[first:last])
	parts[0] = parts[0].intersect(within)
	end := len(parts) - 1
	parts[end] = parts[end].intersect(within)
	return parts
}

// Holes returns what of within is not in the set, in order.
func (s *Set) Holes(within Range) []Range {
	if within.Empty() {
		return nil
	}
	var holes []Range
	next := within.Start
	first, last := s.overlapping(within.Start, within.End)
	for _, r := range s.list[first:last] {
		if next < r.Start {
			holes = append(holes, Range{Start: next, End: r.Start})
		}
		next = r.End
	}
	if next < within.End {
		holes = append(holes, Range{Start: next, End: within.End})
	}
	return holes
}

// All returns the ranges of the set in order. The slice is the caller's.
func (s *Set) All() []Range { return slices.Clone(s.list) }

// Count returns the number of ranges in the set.
func (s *Set) Count() int { return len(s.list) }

// Len returns the number of offsets in the set.
func (s *Set) Len() int64 { return s.total }

// Empty reports whether the set holds nothing.
func (s *Set) Empty() bool { return len(s.list) == 0 }

// Clone returns a copy that shares nothing with s.
func (s *Set) Clone() *Set {
	return &Set{list: slices.Clone(s.list), total: s.total}
}

// overlapping returns the part list[first:last] that overlaps [start, end).
func (s *Set) overlapping(start, end int64) (first, last int) {
	if start >= end {
		return 0, 0
	}
	first = sort.Search(len(s.list), func(i int) bool { return s.list[i].End > start })
	rest := s.list[first:]
	if len(rest) == 0 || rest[0].Start >= end {
		return first, first
	}
	return first, first + sort.Search(len(rest), func(i int) bool { return rest[i].Start >= end })
}

// replace puts with in the place of list[first:last].
func (s *Set) replace(first, last int, with ...Range) {
	for _, r := range s.list[first:last] {
		s.total -= r.Len()
	}
	for _, r := range with {
		s.total += r.Len()
	}
	s.list = slices.Replace(s.list, first, last, with...)
}
