package ranges_test

import (
	"bytes"
	"encoding"
	"errors"
	"math"
	"slices"
	"testing"

	"swarmfs/swarmstore/ranges"
)

var _ encoding.BinaryAppender = (*ranges.Set)(nil)

func TestEncodedSet(t *testing.T) {
	for _, c := range []struct {
		name string
		list []rng
		want []byte
	}{
		{"empty", nil, nil},
		{"at the start", []rng{{0, 5}}, []byte{0, 5}},
		{"two", []rng{{3, 5}, {6, 256}}, []byte{3, 2, 1, 0xfa, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := set(c.list...).AppendBinary([]byte("prefix"))
			if want := append([]byte("prefix"), c.want...); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %x, %v, want %x", got, err, want)
			}
			parsed, err := ranges.ParseSet(c.want)
			if err != nil || !slices.Equal(parsed.All(), c.list) {
				t.Errorf("parsed %v, %v", parsed, err)
			}
		})
	}
	largest := set(rng{0, 1}, rng{math.MaxInt64 - 1, math.MaxInt64})
	if got := recode(t, largest); !slices.Equal(got.All(), largest.All()) || got.Len() != 2 {
		t.Errorf("largest offsets: got %v", got.All())
	}
}

func TestParseSetRefusesWhatIsNoSet(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f} // 2^63 - 1
	for name, data := range map[string][]byte{
		"no length":               {3},
		"cut number":              {3, 0x80},
		"number of 11 bytes":      bytes.Repeat([]byte{0xff}, 11),
		"empty range":             {3, 0},
		"touching ranges":         {3, 2, 0, 2},
		"end beyond the largest":  append(slices.Clone(huge), 1),
		"length beyond it":        append([]byte{1}, huge...),
		"second beyond it":        append(slices.Clone(append([]byte{0}, huge...)), 1, 1),
		"length of all 64 digits": {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if s, err := ranges.ParseSet(data); !errors.Is(err, ranges.ErrMalformed) {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{0, 5})
	f.Add([]byte{3, 2, 1, 0xfa, 1})
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ranges.ParseSet(data)
		if err != nil {
			if !errors.Is(err, ranges.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		// Adding the ranges one by one joins what is not in proper form.
		again := set(s.All()...)
		if !slices.Equal(again.All(), s.All()) || again.Len() != s.Len() {
			t.Fatalf("%x: %v is not in the form of a set", data, s.All())
		}
		if got := recode(t, s); !slices.Equal(got.All(), s.All()) {
			t.Fatalf("%x: encoded again it is %v, not %v", data, got.All(), s.All())
		}
	})
}
