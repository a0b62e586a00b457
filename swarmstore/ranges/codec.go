package ranges

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed tells that bytes are not an encoded set.
var ErrMalformed = errors.New("malformed range set")

// AppendBinary appends the encoded set to b, as encoding.BinaryAppender has
// it; the error is always nil. Each range is two unsigned varints: its distance
// from the end of the range before (from 0 for the first), and its length.
func (s *Set) AppendBinary(b []byte) ([]byte, error) {
	var end int64
	for _, r := range s.list {
		b = binary.AppendUvarint(b, uint64(r.Start-end))
		b = binary.AppendUvarint(b, uint64(r.Len()))
		end = r.End
	}
	return b, nil
}

// ParseSet decodes what AppendBinary made; no bytes are the empty set. It
// takes nothing that AppendBinary would not write: ranges that are empty, touch
// or end beyond the largest offset are ErrMalformed.
func ParseSet(data []byte) (*Set, error) {
	var (
		s   Set
		end int64
	)
	for pos := 0; pos < len(data); {
		gap, n, err := uvarint(data, pos)
		if err != nil {
			return nil, err
		}
		length, m, err := uvarint(data, pos+n)
		if err != nil {
			return nil, err
		}
		room := uint64(math.MaxInt64 - end)
		touches := gap == 0 && len(s.list) > 0
		if touches || length == 0 || gap > room || length > room-gap {
			return nil, fmt.Errorf("%w: gap %d, length %d at byte %d", ErrMalformed, gap, length, pos)
		}
		r := Range{Start: end + int64(gap), End: end + int64(gap) + int64(length)}
		s.list = append(s.list, r)
		s.total += r.Len()
		end = r.End
		pos += n + m
	}
	return &s, nil
}

// uvarint decodes the number at data[pos:] and returns how many bytes it takes.
func uvarint(data []byte, pos int) (uint64, int, error) {
	v, n := binary.Uvarint(data[pos:])
	if n <= 0 {
		return 0, 0, fmt.Errorf("%w: broken number at byte %d", ErrMalformed, pos)
	}
	return v, n, nil
}
