package posix

import (
	"bytes"
	"encoding/binary"
)

// parseDirents decodes what getdents64(2) fills a buffer with: inode, offset of
// the next entry, length of the record, type and name with a zero after it.
func parseDirents(buf []byte) []dirent {
	const nameOffset = 19
	var entries []dirent
	for len(buf) > nameOffset {
		length := binary.NativeEndian.Uint16(buf[16:])
		name, _, _ := bytes.Cut(buf[nameOffset:length], []byte{0})
		entries = append(entries, dirent{
			ino:  binary.NativeEndian.Uint64(buf),
			off:  int64(binary.NativeEndian.Uint64(buf[8:])),
			typ:  buf[18],
			name: string(name),
		})
		buf = buf[length:]
	}
	return entries
}
