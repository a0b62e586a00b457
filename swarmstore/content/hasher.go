package content

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"github.com/ethersphere/bee/v2/pkg/bmt"
)

// segments is the number of 32-byte segments that the BMT of a chunk is made of.
const segments = ChunkSize / ReferenceSize

// optInSIMD makes the pools that bmt creates from then on use the processor's
// vector instructions, 3.5 to 5 times as fast; bmt falls back where there are
// none. It is a variable of bmt that must not be set while a pool is made.
var optInSIMD = sync.OnceFunc(func() { bmt.SetSIMDOptIn(true) })

// Hasher computes references. It is safe for concurrent use; as many
// computations run at a time as there are processors, further ones wait.
type Hasher struct {
	pool    bmt.Pool
	buffers sync.Pool // *[BlockSize]byte, for Split
	zeros   zeroTrees
}

// NewHasher returns a hasher. A program wants one for all: only then are its
// computations limited to the number of processors, and buffers shared.
func NewHasher() *Hasher {
	optInSIMD()
	h := &Hasher{pool: bmt.NewPool(bmt.NewConf(segments, runtime.GOMAXPROCS(0)))}
	h.buffers.New = func() any { return new([BlockSize]byte) }
	h.zeros = h.newZeroTrees()
	return h
}

// Chunk returns the reference of a chunk: of its payload, at most ChunkSize
// bytes, and of its span.
func (h *Hasher) Chunk(span uint64, payload []byte) Reference {
	mustFit(payload, ChunkSize)
	return h.onFreshStack(func(b bmt.Hasher) []byte { return sumChunk(b, nil, span, payload) })
}

// onFreshStack runs a computation on a goroutine of its own. bee's vector code (pkg/keccak, v2.8.1) calls C
// code that needs up to 6 KiB of stack below a frame that reserves its 16 KiB above it, and so writes beyond
// the end of a goroutine's stack that happens to be nearly full at that moment. On a new goroutine the depth is
// always the same, and the runtime grows its stack to 32 KiB, of which some 13 KiB are left then.
// That costs a microsecond and a half.
func (h *Hasher) onFreshStack(sum func(bmt.Hasher) []byte) (ref Reference) {
	b := h.pool.Get()
	defer h.pool.Put(b)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ref = Reference(sum(b))
	}()
	<-done
	return ref
}

// Block returns the reference of at most BlockSize bytes of content. That of no
// bytes is the reference of the empty file. Chunks of zeros are recognised
// and cost no hashing, which makes disk images and the like cheap.
func (h *Hasher) Block(data []byte) Reference {
	mustFit(data, BlockSize)
	return h.onFreshStack(func(b bmt.Hasher) []byte { return h.sumBlock(b, data) })
}

// sumBlock returns the reference of a block, hashing its chunks one after the other.
func (h *Hasher) sumBlock(b bmt.Hasher, data []byte) []byte {
	if len(data) <= ChunkSize {
		return sumChunk(b, nil, uint64(len(data)), data)
	}
	refs := make([]byte, 0, ChunkSize)
	for rest := data; len(rest) > 0; {
		n := min(ChunkSize, len(rest))
		if isZeroChunk(rest[:n]) {
			refs = append(refs, h.zeros.chunk[:]...)
		} else {
			refs = sumChunk(b, refs, uint64(n), rest[:n])
		}
		rest = rest[n:]
	}
	return sumChunk(b, nil, uint64(len(data)), refs)
}

// Verify reports whether data is the block that ref refers to.
func (h *Hasher) Verify(ref Reference, data []byte) bool {
	return len(data) <= BlockSize && h.Block(data) == ref
}

// sumChunk appends the reference of a chunk to refs. It takes the hasher and
// not the pool, because the chunks of a block are hashed one after the other.
func sumChunk(b bmt.Hasher, refs []byte, span uint64, payload []byte) []byte {
	var header [SpanSize]byte
	binary.LittleEndian.PutUint64(header[:], span)
	b.Reset()
	b.SetHeader(header[:])
	// A bmt.Hasher never fails; it would cut off what is beyond its capacity,
	// which the callers exclude.
	_, _ = b.Write(payload)
	return b.Sum(refs)
}

// mustFit panics if data has more than limit bytes: it would be hashed wrongly,
// and only a mistake of the caller can bring it here.
func mustFit(data []byte, limit int) {
	if len(data) > limit {
		panic(fmt.Sprintf("content: hashing %d bytes as one of at most %d", len(data), limit))
	}
}

// VerifyChunk reports whether data, span and payload, is the intermediate chunk with the given reference.
func (h *Hasher) VerifyChunk(ref Reference, data []byte) bool {
	if len(data) < SpanSize || len(data) > SpanSize+ChunkSize {
		return false
	}
	return h.Chunk(binary.LittleEndian.Uint64(data), data[SpanSize:]) == ref
}
