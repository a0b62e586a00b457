package fusefs

// cookies numbers the positions of a directory stream. A position is the name after which it lies, because directories
// are read in the order of names: that keeps every position valid whatever is created or removed meanwhile.
// An entry that stays is returned once, as POSIX wants it. The zero value is ready.
//
// Position 0 is the beginning, 1 is after ".", 2 after "..". The names lie in one piece of memory, because there may be
// a million of them.
type cookies struct {
	names []byte
	ends  []uint32 // of each name in names
}

// dots is the number of positions that "." and ".." take.
const dots = 2

// maxCookieBytes keeps the ends of names within 32 bits.
const maxCookieBytes = 1<<32 - 1 - 4096

// name returns the name after which position c lies.
func (p *cookies) name(c uint64) (string, bool) {
	if c <= dots {
		return "", true
	}
	i := c - dots - 1
	if i >= uint64(len(p.ends)) {
		return "", false
	}
	return string(p.at(i)), true
}

func (p *cookies) at(i uint64) []byte {
	start := uint32(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.names[start:p.ends[i]]
}

// after returns the position after name, which is the entry that follows position c. The same entry gets the same
// position as before; where the directory has changed, a new one. It fails only when the names fill 4 GiB.
func (p *cookies) after(c uint64, name string) (uint64, bool) {
	if i := max(c, dots) - dots; i < uint64(len(p.ends)) && string(p.at(i)) == name {
		return i + dots + 1, true
	}
	if len(p.names)+len(name) > maxCookieBytes {
		return 0, false
	}
	p.names = append(p.names, name...)
	p.ends = append(p.ends, uint32(len(p.names)))
	return uint64(len(p.ends)) + dots, true
}

// reset forgets all positions, as rewinddir does.
func (p *cookies) reset() { *p = cookies{} }
