package docs

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/feeds"
)

// What follows is the format as docs/format.md tells it, written from that page alone, so that the page and
// the program are compared rather than the program with itself.

func keccak(parts ...[]byte) []byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// bmtRoot is the root of the binary Merkle tree over a payload padded with zeros to 4,096 bytes.
func bmtRoot(segments []byte) []byte {
	if len(segments) == 64 {
		return keccak(segments)
	}
	half := len(segments) / 2
	return keccak(bmtRoot(segments[:half]), bmtRoot(segments[half:]))
}

func chunkAddress(span uint64, payload []byte) []byte {
	padded := make([]byte, 4096)
	copy(padded, payload)
	return keccak(binary.LittleEndian.AppendUint64(nil, span), bmtRoot(padded))
}

type subtree struct {
	span    uint64
	address []byte
}

func fileAddress(data []byte) []byte {
	var level []subtree
	for chunk := range slices.Chunk(data, 4096) {
		level = append(level, subtree{uint64(len(chunk)), chunkAddress(uint64(len(chunk)), chunk)})
	}
	if len(level) == 0 {
		return chunkAddress(0, nil)
	}
	for len(level) > 1 {
		var above []subtree
		for group := range slices.Chunk(level, 128) {
			above = append(above, parent(group))
		}
		level = above
	}
	return level[0].address
}

// parent is the intermediate chunk above a group; a lone last child moves up unchanged.
func parent(group []subtree) subtree {
	if len(group) == 1 {
		return group[0]
	}
	var span uint64
	var payload []byte
	for _, child := range group {
		span += child.span
		payload = append(payload, child.address...)
	}
	return subtree{span, chunkAddress(span, payload)}
}

func TestFormatPageDescribesTheProgram(t *testing.T) {
	h := content.NewHasher()
	for _, size := range []int{0, 1, 4096, 4097, 8192, 524288, 524289, 524288 + 4097, 3 << 19} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 7 >> 3)
		}
		tree, err := h.Split(t.Context(), bytes.NewReader(data), discard{})
		if err != nil {
			t.Fatal(err)
		}
		if tree.Size == 0 {
			tree.Root = h.Block(nil)
		}
		if want := fileAddress(data); !bytes.Equal(tree.Root[:], want) {
			t.Errorf("%d bytes: the program says %s, the page %x", size, tree.Root, want)
		}
	}
}

type discard struct{}

func (discard) PutBlock(_ context.Context, _ content.Reference, _ []byte) error { return nil }
func (discard) PutChunk(_ context.Context, _ content.Chunk) error               { return nil }

// TestWorkedExamples: every long number on the page is one that is computed here.
func TestWorkedExamples(t *testing.T) {
	a := func(n int) []byte { return bytes.Repeat([]byte("a"), n) }
	computed := []string{
		hex.EncodeToString(fileAddress(nil)),
		hex.EncodeToString(fileAddress([]byte("hello swarm\n"))),
	}
	for _, n := range []int{1, 4096, 4097, 524288, 524289} {
		computed = append(computed, hex.EncodeToString(fileAddress(a(n))))
	}
	topics := []string{
		feeds.Data("default", "/notes.txt").String(), feeds.Metadata("default", "/notes.txt").String(),
		feeds.Metadata("default", "/").String(),
	}
	for i, text := range []string{"default/notes.txt/data", "default/notes.txt/mtdt", "default/mtdt"} {
		if want := fmt.Sprintf("%x", keccak([]byte(text))); topics[i] != want {
			t.Errorf("topic %q is %s in the program, %s by the page", text, topics[i], want)
		}
	}
	computed = append(computed, topics...)
	text := read(t, "docs/format.md")
	for _, want := range computed {
		if !strings.Contains(text, want) {
			t.Errorf("docs/format.md lacks %s", want)
		}
	}
	for _, found := range regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindAllString(text, -1) {
		if !slices.Contains(computed, found) {
			t.Errorf("docs/format.md has %s, which is none of the examples", found)
		}
	}
}
