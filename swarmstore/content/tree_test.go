package content_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"swarmfs/swarmstore/content"
)

// chunkOf returns the Data of a chunk of a span with n made-up children.
func chunkOf(span uint64, n int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, span)
	for i := range n {
		ref := madeUpRef(uint64(i))
		data = append(data, ref[:]...)
	}
	return data
}

func TestChildrenOfAChunk(t *testing.T) {
	const block = content.BlockSize
	for _, c := range []struct {
		name  string
		span  uint64
		spans []int64
	}{
		{"two blocks", block + 1, []int64{block, 1}},
		{"three full blocks", 3 * block, []int64{block, block, block}},
		{"a full chunk and a lone block", 128*block + 1, []int64{128 * block, 1}},
		{"a full chunk and a smaller one", 130 * block, []int64{128 * block, 2 * block}},
		{"the largest", 1<<63 - 1, []int64{1 << 61, 1 << 61, 1 << 61, 1<<61 - 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			children, err := content.Children(chunkOf(c.span, len(c.spans)))
			if err != nil {
				t.Fatal(err)
			}
			for i, span := range c.spans {
				want := content.Child{Ref: madeUpRef(uint64(i)), Span: span, Block: span <= block}
				if children[i] != want {
					t.Errorf("child %d: got %v, want %v", i, children[i], want)
				}
			}
		})
	}
}

func TestChildrenRefusesWhatIsNoChunkAboveBlocks(t *testing.T) {
	const block = content.BlockSize
	for name, data := range map[string][]byte{
		"nothing":           nil,
		"less than a span":  {0, 0, 8, 0, 0, 0, 0},
		"span alone":        chunkOf(2*block, 0),
		"span of a block":   chunkOf(block, 128),
		"a child too few":   chunkOf(3*block, 2),
		"a child too many":  chunkOf(3*block, 4),
		"part of a child":   chunkOf(3*block, 3)[:8+3*32-1],
		"a byte too many":   append(chunkOf(3*block, 3), 0),
		"negative span":     chunkOf(1<<63, 128),
		"redundancy level":  chunkOf(0x81<<56|2*block, 2),
		"lone only child":   chunkOf(128*block, 1),
		"more than a chunk": chunkOf(129*block, 129),
	} {
		if children, err := content.Children(data); !errors.Is(err, content.ErrMalformed) {
			t.Errorf("%s: got %d children and error %v", name, len(children), err)
		}
	}
}

func FuzzChildren(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(chunkOf(3*content.BlockSize, 3))
	f.Add(chunkOf(128*content.BlockSize+1, 2))
	f.Add(chunkOf(1<<63-1, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		children, err := content.Children(data)
		if err != nil {
			if !errors.Is(err, content.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		var total int64
		rebuilt := slices.Clone(data[:content.SpanSize])
		for i, c := range children {
			total += c.Span
			rebuilt = append(rebuilt, c.Ref[:]...)
			if c.Span <= 0 || c.Block != (c.Span <= content.BlockSize) || (i > 0 && c.Span > children[i-1].Span) {
				t.Fatalf("child %d: %v", i, c)
			}
		}
		if len(children) < 2 || uint64(total) != binary.LittleEndian.Uint64(data) || !slices.Equal(rebuilt, data) {
			t.Fatalf("%d children with %d bytes do not make up the chunk", len(children), total)
		}
	})
}

func TestBlocksReadsOnlyWhatItVisits(t *testing.T) {
	file := newStored()
	var edits []content.Edit
	for i := range int64(1000) {
		edits = append(edits, content.Edit{Index: i, Ref: madeUpRef(uint64(i))})
	}
	file.update(t, 1000*content.BlockSize-7, edits)
	for _, c := range []struct {
		name               string
		first, last        int64
		visits, chunksRead int
	}{
		{"all", 0, 999, 1000, 9},
		{"beyond both ends", -5, 5000, 1000, 9},
		{"one", 500, 500, 1, 2},
		{"across two chunks", 127, 128, 2, 3},
		{"none", 5, 4, 0, 2},
		{"behind the end", 1000, 2000, 0, 0},
		{"before the start", -3, -1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			file.mem.reads = 0
			got, err := blocks(file.mem, file.tree, c.first, c.last)
			if err != nil {
				t.Fatal(err)
			}
			from := max(c.first, 0)
			if len(got) != c.visits || (c.visits > 0 && !slices.Equal(got, file.refs[from:from+int64(c.visits)])) {
				t.Errorf("visited %d blocks, want %d, or others", len(got), c.visits)
			}
			if file.mem.reads > c.chunksRead {
				t.Errorf("read %d chunks, want at most %d", file.mem.reads, c.chunksRead)
			}
		})
	}
}

func TestBlocksEndsWithTheFirstError(t *testing.T) {
	ctx := context.Background()
	file := newStored()
	file.update(t, 300*content.BlockSize, nil)
	enough := errors.New("enough")
	visits := 0
	err := content.Blocks(ctx, file.mem, file.tree, 0, 299, func(index int64, _ content.Reference) error {
		if visits++; index == 130 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || visits != 131 {
		t.Errorf("got %v after %d visits", err, visits)
	}
	if _, err := blocks(newMemory(), file.tree, 0, 0); !errors.Is(err, errMissing) {
		t.Errorf("missing chunk: got %v", err)
	}
	wrongSize := content.Tree{Root: file.tree.Root, Size: file.size + 1}
	if _, err := blocks(file.mem, wrongSize, 0, 0); !errors.Is(err, content.ErrMalformed) {
		t.Errorf("wrong size: got %v", err)
	}
}

func TestSeekSkipsSubtreesOfZerosUnread(t *testing.T) {
	ctx := context.Background()
	file := newStored()
	file.update(t, 8*gib+3, []content.Edit{{10_000, madeUpRef(1)}})
	for _, from := range []int64{-1, 0, 9_999, 10_000, 10_001, 16_383, 16_384, 16_385} {
		checkSeek(t, file, from)
	}
	file.mem.reads = 0
	if _, _, err := hasher.NextData(ctx, file.mem, file.tree, 0); err != nil || file.mem.reads > 3 {
		t.Errorf("NextData read %d chunks, error %v", file.mem.reads, err)
	}
	if _, _, err := hasher.NextData(ctx, newMemory(), file.tree, 0); !errors.Is(err, errMissing) {
		t.Errorf("missing chunk: got %v", err)
	}
	if _, ok, err := hasher.NextHole(ctx, nil, content.Tree{}, 0); ok || err != nil {
		t.Errorf("hole in an empty file: %t, %v", ok, err)
	}
}
