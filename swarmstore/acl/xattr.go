package acl

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The value of the extended attribute, as include/uapi/linux/posix_acl_xattr.h draws it: a
// version and then the entries, everything little-endian.
//
//	u32 version | u16 tag, u16 perm, u32 id | u16 tag, u16 perm, u32 id | …
const (
	version    = 2
	headerSize = 4
	entrySize  = 8
)

// ErrVersion tells that an attribute is of a form that nobody knows, as EOPNOTSUPP does.
var ErrVersion = errors.New("unknown version of access control list")

// Parse reads the value of an extended attribute. One without entries, by which programs remove
// an ACL, gives nil and no error: posix_acl_from_xattr.
func Parse(value []byte) (ACL, error) {
	if len(value) == 0 {
		return nil, nil
	}
	if len(value) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrInvalid, len(value))
	}
	if v := binary.LittleEndian.Uint32(value); v != version {
		return nil, fmt.Errorf("%w: %d", ErrVersion, v)
	}
	entries := value[headerSize:]
	if len(entries)%entrySize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrInvalid, len(value))
	}
	if len(entries) == 0 {
		return nil, nil
	}
	a := make(ACL, 0, len(entries)/entrySize)
	for ; len(entries) > 0; entries = entries[entrySize:] {
		a = append(a, parseEntry(entries))
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	return a, nil
}

func parseEntry(b []byte) Entry {
	e := Entry{
		Tag:  Tag(binary.LittleEndian.Uint16(b)),
		Perm: binary.LittleEndian.Uint16(b[2:]),
		ID:   binary.LittleEndian.Uint32(b[4:]),
	}
	if e.Tag != User && e.Tag != Group {
		e.ID = UndefinedID // whatever stands there means nothing
	}
	return e
}

// Encode returns the value of the extended attribute: posix_acl_to_xattr.
func (a ACL) Encode() []byte {
	value := make([]byte, 0, headerSize+entrySize*len(a))
	value = binary.LittleEndian.AppendUint32(value, version)
	for _, e := range a {
		value = binary.LittleEndian.AppendUint16(value, uint16(e.Tag))
		value = binary.LittleEndian.AppendUint16(value, e.Perm)
		value = binary.LittleEndian.AppendUint32(value, e.ID)
	}
	return value
}
