package content_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swarmfs/swarmstore/content"
)

const (
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// stored is a file of the model with its tree, whose chunks are in memory.
type stored struct {
	model
	tree content.Tree
	mem  *memory
}

// newStored returns an empty file.
func newStored() *stored {
	return &stored{tree: content.Tree{}, mem: newMemory()}
}

// update changes the file and the model, and compares both.
func (s *stored) update(tb rapid.TB, size int64, edits []content.Edit) []content.Chunk {
	tb.Helper()
	tree, made, err := hasher.Update(context.Background(), s.mem, s.tree, size, edits)
	if err != nil {
		tb.Fatalf("update from %d to %d bytes with %d edits: %v", s.size, size, len(edits), err)
	}
	next := s.model.update(size, edits)
	want, chunks := next.tree()
	if tree != want {
		tb.Fatalf("update from %d to %d bytes with %d edits: got %v, want %v", s.size, size, len(edits), tree, want)
	}
	s.checkMade(tb, made, chunks)
	s.mem.add(made)
	s.model, s.tree = next, tree
	return made
}

// checkMade tests what Update promises of the chunks it returns: they are of
// the new tree, each once, children first, and complete it.
func (s *stored) checkMade(tb rapid.TB, made []content.Chunk, want map[content.Reference][]byte) {
	tb.Helper()
	have := maps.Clone(s.mem.chunks)
	seen := make(map[content.Reference]bool)
	for _, c := range made {
		if !bytes.Equal(c.Data, want[c.Ref]) {
			tb.Fatalf("chunk %s is not one of the new tree", c.Ref)
		}
		if seen[c.Ref] {
			tb.Fatalf("chunk %s is returned twice", c.Ref)
		}
		seen[c.Ref] = true
		children, err := content.Children(c.Data)
		if err != nil {
			tb.Fatalf("chunk %s: %v", c.Ref, err)
		}
		for _, child := range children {
			if !child.Block && have[child.Ref] == nil {
				tb.Fatalf("chunk %s comes before its child %s", c.Ref, child.Ref)
			}
		}
		have[c.Ref] = c.Data
	}
	for ref := range want {
		if have[ref] == nil {
			tb.Fatalf("chunk %s of the new tree is missing", ref)
		}
	}
}

// madeUpRef returns a reference that stands for a block nobody needs to hash.
func madeUpRef(n uint64) content.Reference {
	var ref content.Reference
	binary.BigEndian.PutUint64(ref[:], n+1)
	return ref
}

// drawSize draws the size of a file, mostly near one where the tree changes its
// form.
func drawSize(t *rapid.T, old int64) int64 {
	const block = content.BlockSize
	return rapid.OneOf(
		rapid.Just(old),
		rapid.Int64Range(0, 3*block),
		rapid.Int64Range(0, 3*128*block),
		rapid.Int64Range(0, 129*128*block),
		rapid.Custom(func(t *rapid.T) int64 {
			edge := rapid.SampledFrom([]int64{0, block, 2 * block, 64 * mib, 128 * mib, 64*mib + block, 8 * gib, 8*gib + 64*mib}).Draw(t, "edge")
			return max(0, edge+rapid.Int64Range(-2, 2).Draw(t, "off"))
		}),
	).Draw(t, "size")
}

// drawEdits draws edits of any blocks, and of those that must have one.
func drawEdits(t *rapid.T, m model, size int64) []content.Edit {
	count := content.BlockCount(size)
	byIndex := make(map[int64]content.Reference)
	if i, needed := m.needsEdit(size); needed {
		byIndex[i] = madeUpRef(rapid.Uint64Range(0, 1<<40).Draw(t, "ref"))
	}
	if count > 0 {
		start := rapid.Int64Range(0, count-1).Draw(t, "start")
		length := rapid.Int64Range(0, 300).Draw(t, "length")
		step := rapid.SampledFrom([]int64{1, 1, 2, 127, 128, 1000}).Draw(t, "step")
		zeros := rapid.Bool().Draw(t, "zeros")
		seed := rapid.Uint64Range(0, 1<<40).Draw(t, "seed")
		for i := start; i < min(count, start+length*step); i += step {
			byIndex[i] = madeUpRef(seed + uint64(i))
			if zeros {
				byIndex[i] = hasher.ZeroBlock(content.BlockLen(size, i))
			}
		}
	}
	edits := make([]content.Edit, 0, len(byIndex))
	for _, i := range slices.Sorted(maps.Keys(byIndex)) {
		edits = append(edits, content.Edit{Index: i, Ref: byIndex[i]})
	}
	return edits
}

func TestUpdatesGiveTheTreeOfTheBlocks(t *testing.T) { rapid.Check(t, updatesGiveTheTree) }

func FuzzUpdatesGiveTheTreeOfTheBlocks(f *testing.F) { f.Fuzz(rapid.MakeFuzz(updatesGiveTheTree)) }

// updatesGiveTheTree is the property that any sequence of updates gives the tree
// that is built from the list of blocks, and leaves a file whose blocks, data and
// holes are found.
func updatesGiveTheTree(t *rapid.T) {
	file := newStored()
	for range rapid.IntRange(1, 6).Draw(t, "updates") {
		size := drawSize(t, file.size)
		file.update(t, size, drawEdits(t, file.model, size))
		checkLookups(t, file)
	}
}

// checkLookups compares Blocks, NextData and NextHole with the model.
func checkLookups(t *rapid.T, file *stored) {
	count := int64(len(file.refs))
	first := rapid.Int64Range(-1, count+1).Draw(t, "first")
	last := rapid.Int64Range(first-1, min(first+400, count+1)).Draw(t, "last")
	got, err := blocks(file.mem, file.tree, first, last)
	if err != nil {
		t.Fatalf("blocks %d to %d: %v", first, last, err)
	}
	from := min(max(first, 0), count)
	if want := file.refs[from:max(from, min(last+1, count))]; !slices.Equal(got, want) {
		t.Fatalf("blocks %d to %d: got %d of them, want %d or others", first, last, len(got), len(want))
	}
	checkSeek(t, file, first)
}

// checkSeek compares NextData and NextHole with the model.
func checkSeek(tb rapid.TB, file *stored, from int64) {
	tb.Helper()
	ctx := context.Background()
	data, isData, err := hasher.NextData(ctx, file.mem, file.tree, from)
	if want, ok := file.next(from, false); err != nil || isData != ok || (ok && data != want) {
		tb.Fatalf("NextData(%d) = %d, %t, %v; want %d, %t", from, data, isData, err, want, ok)
	}
	hole, isHole, err := hasher.NextHole(ctx, file.mem, file.tree, from)
	if want, ok := file.next(from, true); err != nil || isHole != ok || (ok && hole != want) {
		tb.Fatalf("NextHole(%d) = %d, %t, %v; want %d, %t", from, hole, isHole, err, want, ok)
	}
}

func TestUpdateTouchesOnlyThePathToAnEdit(t *testing.T) {
	ctx := context.Background()
	file := newStored()
	const size = 129 * 64 * mib // just beyond 8 GiB: three levels
	var all []content.Edit
	for i := range content.BlockCount(size) {
		all = append(all, content.Edit{Index: i, Ref: madeUpRef(uint64(i))})
	}
	file.update(t, size, all)

	for _, c := range []struct {
		name        string
		size        int64
		edits       []content.Edit
		reads, made int
	}{
		{"nothing", size, nil, 0, 0},
		{"first block", size, []content.Edit{{0, madeUpRef(1 << 40)}}, 3, 3},
		{"block in the middle", size, []content.Edit{{5000, madeUpRef(1 << 40)}}, 3, 3},
		{"last block, below a lone chunk", size, []content.Edit{{size/content.BlockSize - 1, madeUpRef(1 << 40)}}, 2, 2},
		{"two neighbours", size, []content.Edit{{256, madeUpRef(1 << 40)}, {257, madeUpRef(1 << 41)}}, 3, 3},
		{"two far ones", size, []content.Edit{{0, madeUpRef(1 << 40)}, {5000, madeUpRef(1 << 41)}}, 4, 4},
		{"same reference again", size, []content.Edit{{5000, madeUpRef(5000)}}, 3, 0},
		{"all of one chunk, unread", size, all[128:256], 2, 1},
		{"everything", size, all, 0, 132},
		{"append a block", size + 1, []content.Edit{{size / content.BlockSize, madeUpRef(1 << 40)}}, 1, 2},
		{"cut to whole blocks", size - content.BlockSize, nil, 2, 2},
		{"cut to 8 GiB", 8 * gib, nil, 1, 0},
		{"cut to a block", content.BlockSize, nil, 3, 0},
		{"cut to nothing", 0, nil, 0, 0},
		{"a hole of a terabyte", tib, nil, 3, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			file.mem.reads = 0
			tree, made, err := hasher.Update(ctx, file.mem, file.tree, c.size, c.edits)
			if err != nil {
				t.Fatal(err)
			}
			if file.mem.reads > c.reads || len(made) > c.made {
				t.Errorf("read %d and made %d chunks, want at most %d and %d", file.mem.reads, len(made), c.reads, c.made)
			}
			if c.size <= 16*gib {
				if want, _ := file.model.update(c.size, c.edits).tree(); tree != want {
					t.Errorf("got %v, want %v", tree, want)
				}
			}
		})
	}
}

func TestSparseFileHasTheReferenceOfItsZeros(t *testing.T) {
	ctx := context.Background()
	for _, size := range []int64{1, 3 * content.ChunkSize, content.BlockSize + 1, 5*mib + 3, 65 * mib} {
		tree, _, err := hasher.Update(ctx, nil, content.Tree{}, size, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := beeReference(t, make([]byte, size)); tree.Root != want {
			t.Errorf("%d zeros: got %s, want %s", size, tree.Root, want)
		}
	}
}

func TestHugeSparseFileCostsItsDepth(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		size        int64
		edits       []content.Edit
		made, reads int
	}{
		{tib, nil, 3, 0},
		{tib + 1, nil, 4, 0},
		{tib + 70*mib + 5, []content.Edit{{1 << 20, madeUpRef(1)}}, 9, 0},
	} {
		file := newStored()
		made := file.update(t, c.size, c.edits)
		if len(made) > c.made || file.mem.reads > c.reads {
			t.Errorf("%d bytes: made %d and read %d chunks, want at most %d and %d", c.size, len(made), file.mem.reads, c.made, c.reads)
		}
		file.mem.reads = 0
		block, ok, err := hasher.NextData(ctx, file.mem, file.tree, 0)
		if err != nil || ok != (len(c.edits) > 0) || (ok && block != c.edits[0].Index) {
			t.Errorf("%d bytes: NextData(0) = %d, %t, %v", c.size, block, ok, err)
		}
		if file.mem.reads > 4 {
			t.Errorf("%d bytes: NextData read %d chunks", c.size, file.mem.reads)
		}
	}
}

func TestLargestFileHasATree(t *testing.T) {
	const size = 1<<63 - 1
	mem := newMemory()
	last := content.BlockCount(size) - 1
	edits := []content.Edit{{1 << 43, madeUpRef(1)}, {last, madeUpRef(2)}}
	tree, made, err := hasher.Update(context.Background(), mem, content.Tree{}, size, edits)
	if err != nil {
		t.Fatal(err)
	}
	mem.add(made)
	for _, e := range edits {
		got, err := blocks(mem, tree, e.Index, e.Index)
		if err != nil || !slices.Equal(got, []content.Reference{e.Ref}) {
			t.Errorf("block %d: got %v, %v", e.Index, got, err)
		}
	}
	if i, ok, err := hasher.NextData(context.Background(), mem, tree, 1<<43+1); i != last || !ok || err != nil {
		t.Errorf("NextData = %d, %t, %v; want %d", i, ok, err, last)
	}
}

func TestUpdateRefusesEditsThatMakeNoFile(t *testing.T) {
	file := newStored()
	const block = content.BlockSize
	file.update(t, 130*block+5, []content.Edit{{0, madeUpRef(0)}, {130, madeUpRef(130)}})
	for _, c := range []struct {
		name  string
		size  int64
		edits []content.Edit
	}{
		{"negative size", -1, nil},
		{"negative index", 2 * block, []content.Edit{{-1, madeUpRef(1)}}},
		{"beyond the end", 2 * block, []content.Edit{{2, madeUpRef(1)}}},
		{"of an empty file", 0, []content.Edit{{0, madeUpRef(1)}}},
		{"twice the same block", 2 * block, []content.Edit{{1, madeUpRef(1)}, {1, madeUpRef(2)}}},
		{"descending", 2 * block, []content.Edit{{1, madeUpRef(1)}, {0, madeUpRef(2)}}},
		{"last block grows without edit", 131 * block, nil},
		{"last block grows and more follow", 300 * block, []content.Edit{{131, madeUpRef(1)}}},
		{"last block grows by far", 9 * gib, nil},
		{"new last block is cut without edit", 130*block - 1, nil},
		{"cut to part of a block", 5, nil},
		{"cut to a level less", 128*block - 1, []content.Edit{{3, madeUpRef(1)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, made, err := hasher.Update(context.Background(), file.mem, file.tree, c.size, c.edits)
			if !errors.Is(err, content.ErrEdit) || made != nil {
				t.Errorf("got %d chunks and error %v, want ErrEdit", len(made), err)
			}
		})
	}
}

func TestUpdateReportsAMissingOrForeignChunk(t *testing.T) {
	ctx := context.Background()
	file := newStored()
	file.update(t, 300*content.BlockSize, []content.Edit{{1, madeUpRef(1)}})
	edits := []content.Edit{{2, madeUpRef(2)}}
	if _, _, err := hasher.Update(ctx, newMemory(), file.tree, file.size, edits); !errors.Is(err, errMissing) {
		t.Errorf("chunk missing: got %v", err)
	}
	wrongSize := content.Tree{Root: file.tree.Root, Size: file.size - 1}
	if _, _, err := hasher.Update(ctx, file.mem, wrongSize, wrongSize.Size, edits); !errors.Is(err, content.ErrMalformed) {
		t.Errorf("tree with a wrong size: got %v", err)
	}
	file.mem.chunks[file.tree.Root] = file.mem.chunks[file.tree.Root][:100]
	if _, _, err := hasher.Update(ctx, file.mem, file.tree, file.size, edits); !errors.Is(err, content.ErrMalformed) {
		t.Errorf("chunk cut: got %v", err)
	}
}

func BenchmarkUpdateOneBlock(b *testing.B) {
	file := newStored()
	file.update(b, 8*gib, nil)
	ctx, rng := context.Background(), rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		edits := []content.Edit{{Index: rng.Int64N(16384), Ref: madeUpRef(rng.Uint64())}}
		if _, _, err := hasher.Update(ctx, file.mem, file.tree, file.size, edits); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdateSparseTerabyte(b *testing.B) {
	for b.Loop() {
		if _, _, err := hasher.Update(context.Background(), nil, content.Tree{}, tib+1, nil); err != nil {
			b.Fatal(err)
		}
	}
}
