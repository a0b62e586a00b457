package crash

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// CellSize is the unit of file content. It divides the sector of a disk and
// the page of the kernel, so that neither ever tears a cell, and is smaller
// than a page, so that cells exercise the merging of partial pages.
const CellSize = 512

// A cell describes itself:
//
//	0  magic       8 bytes
//	8  offset      8 bytes, little endian, of the cell in its file
//	16 generation  8 bytes, little endian
//	24 name length 1 byte
//	25 name        of the file
//	   filler      that depends on all of the above
//	508 CRC-32C    4 bytes, little endian, of everything before
const (
	cellMagic   = "swrmcell"
	cellName    = 25
	cellSum     = CellSize - 4
	maxCellName = 64
)

var (
	errNotCell  = errors.New("not a cell")
	errCellSum  = errors.New("cell with a wrong checksum")
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
	zeroCell    [CellSize]byte
	errCellRoom = errors.New("file name too long for a cell")
)

// putCell writes the cell at off of generation gen of the named file to dst.
func putCell(dst []byte, name string, off int64, gen uint64) {
	if len(name) > maxCellName {
		panic(fmt.Errorf("%q: %w", name, errCellRoom))
	}
	_ = dst[CellSize-1]
	copy(dst, cellMagic)
	binary.LittleEndian.PutUint64(dst[8:], uint64(off))
	binary.LittleEndian.PutUint64(dst[16:], gen)
	dst[24] = byte(len(name))
	filler := cellName + copy(dst[cellName:], name)
	putNoise(dst[filler:cellSum], uint64(off)^gen<<40^uint64(len(name))<<56)
	binary.LittleEndian.PutUint32(dst[cellSum:], crc32.Checksum(dst[:cellSum], castagnoli))
}

// putNoise fills dst with bytes that do not compress and repeat nowhere
// (SplitMix64).
func putNoise(dst []byte, seed uint64) {
	var word [8]byte
	for len(dst) > 0 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(word[:], z^z>>31)
		dst = dst[copy(dst, word[:]):]
	}
}

// cellID is what a cell says of itself.
type cellID struct {
	name string
	off  int64
	gen  uint64
}

func (c cellID) String() string { return fmt.Sprintf("%s@%d generation %d", c.name, c.off, c.gen) }

// parseCell reads what b, one cell, says of itself.
func parseCell(b []byte) (cellID, error) {
	if len(b) != CellSize || string(b[:len(cellMagic)]) != cellMagic {
		return cellID{}, errNotCell
	}
	n := int(b[24])
	if n > maxCellName {
		return cellID{}, errNotCell
	}
	if crc32.Checksum(b[:cellSum], castagnoli) != binary.LittleEndian.Uint32(b[cellSum:]) {
		return cellID{}, errCellSum
	}
	return cellID{
		name: string(b[cellName : cellName+n]),
		off:  int64(binary.LittleEndian.Uint64(b[8:])),
		gen:  binary.LittleEndian.Uint64(b[16:]),
	}, nil
}

// describe tells for an error message what stands in b.
func describe(b []byte) string {
	id, err := parseCell(b)
	switch {
	case err == nil:
		return id.String()
	case string(b) == string(zeroCell[:len(b)]):
		return "zeros"
	default:
		return fmt.Sprintf("%v: %.32q...", err, b)
	}
}

// cells returns n cells of one generation, the first at off.
func cells(name string, off int64, n int, gen uint64) []byte {
	buf := make([]byte, n*CellSize)
	for i := range n {
		putCell(buf[i*CellSize:], name, off+int64(i)*CellSize, gen)
	}
	return buf
}
