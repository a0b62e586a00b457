package content_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/ethersphere/bee/v2/pkg/bmt/reference"
	"github.com/ethersphere/bee/v2/pkg/swarm"

	"swarmfs/swarmstore/content"
)

// edgeLengths are lengths of a block at which something may go wrong.
var edgeLengths = []int{
	0, 1, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097, 8191, 8192, 8193, 12288,
	content.BlockSize - content.ChunkSize - 1, content.BlockSize - content.ChunkSize,
	content.BlockSize - content.ChunkSize + 1, content.BlockSize - 1, content.BlockSize,
}

func TestBlockHasTheReferenceOfItsBytesAlone(t *testing.T) {
	for _, n := range edgeLengths {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			halfZero := randomBytes(1, n)
			clear(halfZero[n/2:])
			for name, data := range map[string][]byte{
				"random":    randomBytes(uint64(n), n),
				"zeros":     make([]byte, n),
				"half zero": halfZero,
			} {
				if got, want := hasher.Block(data), beeReference(t, data); got != want {
					t.Errorf("%s: got %s, want %s", name, got, want)
				}
			}
		})
	}
}

// The vector code computes Bee's references too: both must agree with the plain
// definition of the hash.
func TestChunkIsTheHashOfSpanAndBMTRoot(t *testing.T) {
	for _, n := range []int{1, 31, 32, 33, 64, 65, 2048, 4095, 4096} {
		data := randomBytes(uint64(n), n)
		root, err := reference.NewRefHasher(swarm.NewHasher(), 128).Hash(data)
		if err != nil {
			t.Fatal(err)
		}
		plain := swarm.NewHasher()
		span := uint64(n) << 20
		for _, part := range [][]byte{{0, 0, byte(span >> 16), byte(span >> 24), byte(span >> 32), 0, 0, 0}, root} {
			if _, err := plain.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := hasher.Chunk(span, data), content.Reference(plain.Sum(nil)); got != want {
			t.Errorf("%d bytes: got %s, want %s", n, got, want)
		}
	}
}

func TestZeroBlockIsTheBlockOfZeros(t *testing.T) {
	for _, n := range edgeLengths {
		ref := hasher.ZeroBlock(int64(n))
		if want := beeReference(t, make([]byte, n)); ref != want {
			t.Errorf("%d zeros: got %s, want %s", n, ref, want)
		}
		if !hasher.IsZero(ref, int64(n)) {
			t.Errorf("%d zeros are not recognised", n)
		}
		if n > 0 && hasher.IsZero(ref, int64(n)-1) {
			t.Errorf("%d zeros are taken for one less", n)
		}
	}
	if hasher.IsZero(hasher.Block([]byte{1}), 1) {
		t.Error("a block with data is taken for zeros")
	}
	if hasher.IsZero(content.Reference{}, content.BlockSize+1) || hasher.IsZero(content.Reference{}, -1) {
		t.Error("impossible lengths are taken for blocks of zeros")
	}
}

func TestVerifyDetectsEveryDifference(t *testing.T) {
	data := randomBytes(1, 3*content.ChunkSize+100)
	ref := hasher.Block(data)
	if !hasher.Verify(ref, data) {
		t.Fatal("the block itself is refused")
	}
	flipped := bytes.Clone(data)
	flipped[2*content.ChunkSize] ^= 1
	for name, wrong := range map[string][]byte{
		"flipped bit": flipped,
		"cut":         data[:len(data)-1],
		"longer":      append(bytes.Clone(data), 0),
		"empty":       nil,
		"too long":    make([]byte, content.BlockSize+1),
	} {
		if hasher.Verify(ref, wrong) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHasherIsSafeForConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			data := randomBytes(uint64(i), 5000*i)
			want := beeReference(t, data)
			for range 5 {
				if got := hasher.Block(data); got != want {
					t.Errorf("%d bytes: got %s, want %s", len(data), got, want)
				}
			}
		})
	}
	wg.Wait()
}

func TestHashingTooMuchPanics(t *testing.T) {
	for name, hash := range map[string]func(){
		"chunk": func() { hasher.Chunk(1, make([]byte, content.ChunkSize+1)) },
		"block": func() { hasher.Block(make([]byte, content.BlockSize+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			hash()
		})
	}
}

func FuzzBlock(f *testing.F) {
	for _, n := range edgeLengths {
		f.Add(uint32(n), uint16(n), uint32(0), uint32(0))
	}
	f.Add(uint32(3*content.ChunkSize), uint16(1), uint32(content.ChunkSize), uint32(content.ChunkSize))
	f.Fuzz(func(t *testing.T, length uint32, seed uint16, zeroFrom, zeroLen uint32) {
		data := randomBytes(uint64(seed), int(length%(content.BlockSize+1)))
		from := min(int(zeroFrom), len(data))
		clear(data[from:min(from+int(zeroLen), len(data))])
		if got, want := hasher.Block(data), beeReference(t, data); got != want {
			t.Fatalf("%d bytes: got %s, want %s", len(data), got, want)
		}
	})
}
