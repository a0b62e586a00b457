package content_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"swarmfs/swarmstore/content"
)

// splitSizes are the sizes at which a tree changes its form, and some between.
var splitSizes = []int{
	0, 1, 31, 32, 33, 4095, 4096, 4097, 8192,
	content.BlockSize - 1, content.BlockSize, content.BlockSize + 1,
	content.BlockSize + 4095, content.BlockSize + 4096, content.BlockSize + 4097,
	2 * content.BlockSize, 64*mib - 1, 64 * mib, 64*mib + 1, 64*mib + content.BlockSize,
	70_000_123, 128*mib - 1, 128 * mib, 128*mib + 1,
}

func TestSplitMakesWhatBeesSplitterMakes(t *testing.T) {
	for _, size := range splitSizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			data, ref := sampleFile(t, size)
			mem := newMemory()
			tree, err := hasher.Split(context.Background(), bytes.NewReader(data), mem)
			if err != nil {
				t.Fatal(err)
			}
			if want := (content.Tree{Root: ref, Size: int64(size)}); tree != want {
				t.Errorf("got %v, want %v", tree, want)
			}
			for ref, data := range mem.chunks {
				span := binary.LittleEndian.Uint64(data)
				if got := hasher.Chunk(span, data[content.SpanSize:]); got != ref {
					t.Errorf("chunk %s has the data of %s", ref, got)
				}
			}
			checkContent(t, mem, tree, data)
		})
	}
}

// checkContent compares the blocks of a tree with the bytes of the file.
func checkContent(t *testing.T, mem *memory, tree content.Tree, want []byte) {
	t.Helper()
	err := content.Blocks(context.Background(), mem, tree, 0, content.BlockCount(tree.Size), func(i int64, ref content.Reference) error {
		if !bytes.Equal(mem.blocks[ref], blockOf(want, i)) {
			return fmt.Errorf("block %d has other bytes", i)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(uint32(0), uint16(0), uint16(1))
	f.Add(uint32(content.BlockSize+1), uint16(2), uint16(4096))
	f.Add(uint32(2*content.BlockSize), uint16(3), uint16(65535))
	f.Fuzz(func(t *testing.T, length uint32, seed, readSize uint16) {
		data := randomBytes(uint64(seed), int(length%(3*content.BlockSize)))
		r := &pieces{r: bytes.NewReader(data), n: int(readSize) + 1}
		tree, err := hasher.Split(context.Background(), r, newMemory())
		if err != nil {
			t.Fatal(err)
		}
		if want := beeReference(t, data); tree.Root != want || tree.Size != int64(len(data)) {
			t.Fatalf("%d bytes: got %v, want %s", len(data), tree, want)
		}
	})
}

// pieces reads at most n bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(p.n, len(b))]) }

func TestSplitTakesWhatReadersMayDo(t *testing.T) {
	data := randomBytes(5, 3*content.BlockSize)
	want := beeReference(t, data)
	for name, r := range map[string]io.Reader{
		"end with the last bytes": iotest.DataErrReader(bytes.NewReader(data)),
		"small pieces":            iotest.HalfReader(&pieces{bytes.NewReader(data), 1000}),
	} {
		tree, err := hasher.Split(context.Background(), r, newMemory())
		if err != nil || tree.Root != want {
			t.Errorf("%s: got %v, %v", name, tree, err)
		}
	}
}

// A stream that breaks off must never pass for a shorter file.
func TestSplitReturnsTheReadersError(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 1, content.BlockSize, 5*content.BlockSize + 3} {
		for _, readErr := range []error{broken, io.ErrUnexpectedEOF} {
			r := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(readErr))
			mem := newMemory()
			tree, err := hasher.Split(context.Background(), r, mem)
			if !errors.Is(err, readErr) || tree != (content.Tree{}) {
				t.Errorf("%v after %d bytes: got %v, %v", readErr, size, tree, err)
			}
			if len(mem.chunks) > 0 {
				t.Errorf("%v after %d bytes: put %d chunks", readErr, size, len(mem.chunks))
			}
		}
	}
	if _, err := hasher.Split(context.Background(), stuck{}, newMemory()); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("reader that returns nothing: %v", err)
	}
}

// stuck is a reader that returns neither bytes nor an error.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// sinkFunc is a sink of blocks; chunk, if not nil, is that of chunks.
type sinkFunc struct {
	block func(ctx context.Context, data []byte) error
	chunk func() error
}

func (s sinkFunc) PutBlock(ctx context.Context, _ content.Reference, data []byte) error {
	return s.block(ctx, data)
}

func (s sinkFunc) PutChunk(context.Context, content.Chunk) error {
	if s.chunk == nil {
		return nil
	}
	return s.chunk()
}

func TestSplitStopsAtTheSinksError(t *testing.T) {
	full := errors.New("full")
	// The stream has no end: only an error ends it.
	endless := &counter{}
	var puts atomic.Int64
	sink := sinkFunc{block: func(context.Context, []byte) error {
		if puts.Add(1) >= 5 {
			return full
		}
		return nil
	}}
	if _, err := hasher.Split(context.Background(), endless, sink); !errors.Is(err, full) {
		t.Errorf("block: got %v", err)
	}
	if limit := int64(2*runtime.GOMAXPROCS(0)+7) * content.BlockSize; endless.n > limit {
		t.Errorf("read %d bytes after the error, want at most %d", endless.n, limit)
	}
	sink = sinkFunc{block: func(context.Context, []byte) error { return nil }, chunk: func() error { return full }}
	if _, err := hasher.Split(context.Background(), bytes.NewReader(make([]byte, mib)), sink); !errors.Is(err, full) {
		t.Errorf("chunk: got %v", err)
	}
}

// counter reads zeros without end and counts them.
type counter struct{ n int64 }

func (c *counter) Read(p []byte) (int, error) {
	clear(p)
	c.n += int64(len(p))
	return len(p), nil
}

func TestSplitHonoursTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var puts atomic.Int64
	sink := sinkFunc{block: func(ctx context.Context, _ []byte) error {
		if puts.Add(1) == 3 {
			cancel()
		}
		return ctx.Err()
	}}
	if _, err := hasher.Split(ctx, &counter{}, sink); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := hasher.Split(ctx, bytes.NewReader([]byte{1}), newMemory()); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before it began: got %v", err)
	}
}

func TestSplitPutsBlocksInParallel(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var together sync.WaitGroup
	together.Add(2)
	sink := sinkFunc{block: func(ctx context.Context, _ []byte) error {
		together.Done()
		met := make(chan struct{})
		go func() {
			together.Wait()
			close(met)
		}()
		select {
		case <-met:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	if _, err := hasher.Split(ctx, bytes.NewReader(make([]byte, 2*content.BlockSize)), sink); err != nil {
		t.Errorf("no second block came while the first was being put: %v", err)
	}
}

func TestSplitReadsNoFurtherThanItsWorkersHold(t *testing.T) {
	const count = 100
	var done, ahead atomic.Int64
	stream := &counter{}
	r := io.LimitReader(readFunc(func(p []byte) (int, error) {
		ahead.Store(max(ahead.Load(), stream.n/content.BlockSize+1-done.Load()))
		return stream.Read(p)
	}), count*content.BlockSize)
	sink := sinkFunc{block: func(context.Context, []byte) error {
		time.Sleep(time.Millisecond) // slower than the reader
		done.Add(1)
		return nil
	}}
	if _, err := hasher.Split(context.Background(), r, sink); err != nil {
		t.Fatal(err)
	}
	if limit := int64(2*runtime.GOMAXPROCS(0) + 1); ahead.Load() > limit || done.Load() != count {
		t.Errorf("held %d blocks at a time, want at most %d; put %d of %d", ahead.Load(), limit, done.Load(), count)
	}
}

// readFunc is a reader.
type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestSplitOfNothingPutsNothing(t *testing.T) {
	mem := newMemory()
	tree, err := hasher.Split(context.Background(), bytes.NewReader(nil), mem)
	if err != nil || tree != (content.Tree{Root: beeReference(t, nil)}) {
		t.Errorf("got %v, %v", tree, err)
	}
	if len(mem.blocks)+len(mem.chunks) > 0 {
		t.Errorf("put %d blocks and %d chunks", len(mem.blocks), len(mem.chunks))
	}
}
