package content_test

import (
	"bytes"
	"context"
	"testing"

	"pgregory.net/rapid"

	"swarmfs/swarmstore/content"
)

// editedFile is a file with its bytes, to be compared with Bee's splitter.
type editedFile struct {
	tree content.Tree
	data []byte
	mem  *memory
}

// replace makes data the content of the file by an update of what differs.
func (f *editedFile) replace(tb rapid.TB, data []byte) {
	tb.Helper()
	var edits []content.Edit
	for i := range content.BlockCount(int64(len(data))) {
		block, old := blockOf(data, i), blockOf(f.data, i)
		hole := len(old) == 0 && len(bytes.Trim(block, "\x00")) == 0
		if !bytes.Equal(block, old) && !hole {
			edits = append(edits, content.Edit{Index: i, Ref: hasher.Block(block)})
		}
	}
	tree, made, err := hasher.Update(context.Background(), f.mem, f.tree, int64(len(data)), edits)
	if err != nil {
		tb.Fatalf("update from %d to %d bytes: %v", len(f.data), len(data), err)
	}
	f.mem.add(made)
	f.tree, f.data = tree, data
}

// blockOf returns the bytes of a block, none beyond the end.
func blockOf(data []byte, index int64) []byte {
	start := min(index*content.BlockSize, int64(len(data)))
	return data[start:min(start+content.BlockSize, int64(len(data)))]
}

// resized returns a copy of data of the given size, with zeros added.
func resized(data []byte, size int) []byte {
	out := make([]byte, size)
	copy(out, data)
	return out
}

func TestEditedBytesHaveBeesReference(t *testing.T) { rapid.Check(t, editedBytesHaveBeesReference) }

func FuzzEditedBytesHaveBeesReference(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(editedBytesHaveBeesReference))
}

// editedBytesHaveBeesReference is the property that writing, cutting and
// extending a file, with holes, gives the reference of its bytes.
func editedBytesHaveBeesReference(t *rapid.T) {
	const limit = 4 * content.BlockSize
	file := &editedFile{mem: newMemory()}
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		size := rapid.OneOf(
			rapid.IntRange(0, limit),
			rapid.SampledFrom([]int{0, 1, content.ChunkSize, content.BlockSize, 2 * content.BlockSize, len(file.data)}),
		).Draw(t, "size")
		data := resized(file.data, size)
		off := rapid.IntRange(0, size).Draw(t, "offset")
		n := rapid.IntRange(0, min(size-off, content.BlockSize)).Draw(t, "written")
		copy(data[off:], randomBytes(rapid.Uint64Range(0, 1<<20).Draw(t, "seed"), n))
		file.replace(t, data)
	}
	if want := beeReference(t, file.data); file.tree.Root != want {
		t.Fatalf("%d bytes: got %s, want %s", len(file.data), file.tree.Root, want)
	}
}

// Real bytes where the tree gets a level more or less.
func TestChangingTheHeightHasBeesReference(t *testing.T) {
	file := &editedFile{mem: newMemory()}
	for _, size := range []int{
		1, content.BlockSize, content.BlockSize + 1, 64 * mib, 64*mib + 1, 64*mib - 1,
		64*mib + content.BlockSize, 128*mib + 1, 64 * mib, content.BlockSize, 1, 0,
	} {
		data, want := sampleFile(t, size)
		file.replace(t, data)
		if file.tree.Root != want {
			t.Errorf("%d bytes: got %s, want %s", size, file.tree.Root, want)
		}
	}
}
