package content

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Sink takes what Split makes of a stream.
type Sink interface {
	// PutBlock takes a block. It is called by several goroutines at a time, in
	// no particular order, and must not keep data after it returns.
	PutBlock(ctx context.Context, ref Reference, data []byte) error
	// PutChunk takes an intermediate chunk, after all blocks and all chunks
	// below it, and may keep it. It is never called concurrently.
	PutChunk(ctx context.Context, c Chunk) error
}

// Split reads r to its end and puts its blocks, then the intermediate chunks
// above them, into sink. Blocks are hashed and put on all processors, with a
// few of them in memory at a time; beside them Split keeps 40 bytes a block. An
// empty stream puts nothing.
//
// The first error, of r or sink or ctx, ends everything and is returned. A Read
// in progress is waited for: to give up on a reader that blocks, close it.
func (h *Hasher) Split(ctx context.Context, r io.Reader, sink Sink) (Tree, error) {
	s := splitter{h: h, r: r, sink: sink}
	if err := s.putBlocks(ctx); err != nil {
		return Tree{}, err
	}
	put := func(c Chunk) error {
		if err := sink.PutChunk(ctx, c); err != nil {
			return fmt.Errorf("put chunk %s: %w", c.Ref, err)
		}
		return nil
	}
	return h.update(ctx, nil, Tree{}, s.size, s.edits, put)
}

// splitter is one call of Split.
type splitter struct {
	h    *Hasher
	r    io.Reader
	sink Sink
	size int64 // bytes read so far

	mu    sync.Mutex
	edits []Edit // the blocks put so far, at their index
}

// maxIdleReads is how often in a row a reader may return nothing, neither bytes
// nor an error, before it counts as broken. bufio has the same number.
const maxIdleReads = 100

// readBlock is a block on its way from the reader to a worker.
type readBlock struct {
	index  int64
	buffer *[BlockSize]byte
	n      int
}

// putBlocks reads the stream and lets workers hash and put its blocks.
func (s *splitter) putBlocks(ctx context.Context) error {
	first, last, err := s.read(ctx)
	if err != nil {
		return err
	}
	if last {
		// Most streams are small files, which gain nothing from workers.
		return s.put(ctx, first)
	}
	g, ctx := errgroup.WithContext(ctx)
	blocks := make(chan readBlock)
	// Twice as many workers as processors, so that some hash while others wait
	// for the sink. Each holds one block, and the reader one more.
	for range 2 * runtime.GOMAXPROCS(0) {
		g.Go(func() error { return s.work(ctx, blocks) })
	}
	g.Go(func() error {
		defer close(blocks)
		return s.feed(ctx, first, blocks)
	})
	return g.Wait()
}

// feed sends the blocks of the stream from the given one to the last.
func (s *splitter) feed(ctx context.Context, b readBlock, blocks chan<- readBlock) error {
	for last := false; ; {
		select {
		case blocks <- b:
		case <-ctx.Done():
			s.release(b)
			return ctx.Err()
		}
		if last {
			return nil
		}
		var err error
		if b, last, err = s.read(ctx); err != nil {
			return err
		}
	}
}

// work puts blocks until there are no more.
func (s *splitter) work(ctx context.Context, blocks <-chan readBlock) error {
	for b := range blocks {
		if err := s.put(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// read reads the next block and tells whether it is the last.
func (s *splitter) read(ctx context.Context) (b readBlock, last bool, err error) {
	b.index = s.size >> blockShift
	b.buffer = s.h.buffers.Get().(*[BlockSize]byte)
	b.n, last, err = fill(ctx, s.r, b.buffer[:])
	s.size += int64(b.n)
	if err != nil {
		s.release(b)
		return readBlock{}, false, fmt.Errorf("read after %d bytes: %w", s.size, err)
	}
	return b, last, nil
}

// fill reads until buffer is full or r at its end. io.ReadFull is not used
// because it reports the end of a stream by io.ErrUnexpectedEOF, which is also
// what the body of a broken HTTP request returns.
func fill(ctx context.Context, r io.Reader, buffer []byte) (n int, last bool, err error) {
	for idle := 0; n < len(buffer); {
		if err := ctx.Err(); err != nil {
			return n, false, err
		}
		m, err := r.Read(buffer[n:])
		n += m
		switch {
		case err == io.EOF:
			return n, true, nil
		case err != nil:
			return n, false, err
		case m > 0:
			idle = 0
		default:
			if idle++; idle >= maxIdleReads {
				return n, false, io.ErrNoProgress
			}
		}
	}
	return n, false, nil
}

// put hashes a block, hands it to the sink and releases it. A block of no bytes
// is the end of a stream of whole blocks, and no block of the file.
func (s *splitter) put(ctx context.Context, b readBlock) error {
	defer s.release(b)
	if b.n == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	data := b.buffer[:b.n]
	ref := s.h.Block(data)
	if err := s.sink.PutBlock(ctx, ref, data); err != nil {
		return fmt.Errorf("put block %d: %w", b.index, err)
	}
	s.record(Edit{Index: b.index, Ref: ref})
	return nil
}

// record keeps the reference of a block. Blocks come in any order, but none
// before the ones that other workers still hold.
func (s *splitter) record(e Edit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for int64(len(s.edits)) <= e.Index {
		s.edits = append(s.edits, Edit{})
	}
	s.edits[e.Index] = e
}

// release gives the block's buffer back.
func (s *splitter) release(b readBlock) { s.h.buffers.Put(b.buffer) }
