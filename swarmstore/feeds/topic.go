// Package feeds knows where on Swarm the mutable parts of a volume are: for each
// path two feeds of the volume's owner, one for the content and one for the
// metadata.
package feeds

import (
	"encoding/hex"
	"path"

	"golang.org/x/crypto/sha3"
)

// TopicSize is the length of a topic in bytes.
const TopicSize = 32

// Topic tells the feeds of one owner apart.
type Topic [TopicSize]byte

// String returns the topic in lower-case hexadecimal digits.
func (t Topic) String() string { return hex.EncodeToString(t[:]) }

// Data returns the topic of the feed of a path's content: keccak256(volume + path + "/data"). The path is
// taken from the volume's root with a leading slash; the root itself is the empty path.
func Data(volume, p string) Topic { return topic(volume, p, "/data") }

// Metadata returns the topic of the feed of a path's metadata: keccak256(volume + path + "/mtdt").
func Metadata(volume, p string) Topic { return topic(volume, p, "/mtdt") }

func topic(volume, p, kind string) (t Topic) {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(volume + Canonical(p) + kind))
	h.Sum(t[:0])
	return t
}

// Canonical returns the form of a path that topics are made of.
func Canonical(p string) string {
	if p = path.Clean("/" + p); p == "/" {
		return ""
	}
	return p
}
