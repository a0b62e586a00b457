package content

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// ReferenceSize is the length of a reference in bytes.
const ReferenceSize = 32

// Reference is the Swarm address of unencrypted content: the BMT hash of its root chunk.
type Reference [ReferenceSize]byte

// ErrReference tells that a text or a byte slice is not a reference.
var ErrReference = errors.New("not a Swarm reference")

// ParseReference reads the 64 hexadecimal digits of a reference.
func ParseReference(s string) (Reference, error) {
	var r Reference
	if len(s) != 2*ReferenceSize {
		return r, fmt.Errorf("%q: %w: want %d hexadecimal digits", s, ErrReference, 2*ReferenceSize)
	}
	if _, err := hex.Decode(r[:], []byte(s)); err != nil {
		return Reference{}, fmt.Errorf("%q: %w: %w", s, ErrReference, err)
	}
	return r, nil
}

// String returns the reference in lower-case hexadecimal digits.
func (r Reference) String() string { return hex.EncodeToString(r[:]) }

// IsZero reports whether r is the zero value, which is no content's address.
func (r Reference) IsZero() bool { return r == Reference{} }
