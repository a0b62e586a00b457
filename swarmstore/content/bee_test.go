package content_test

import (
	"bytes"
	"context"
	"os"
	"sync"
	"testing"

	"github.com/ethersphere/bee/v2/pkg/bmtpool"
	"github.com/ethersphere/bee/v2/pkg/file/pipeline/builder"
	"github.com/ethersphere/bee/v2/pkg/swarm"
	"pgregory.net/rapid"

	"swarmfs/swarmstore/content"
)

// hasher is shared, as a program shares it.
var hasher = content.NewHasher()

func TestMain(m *testing.M) {
	// Bee's splitter is to be as fast as it can be too: the first hasher turned
	// the vector instructions on, after bmtpool had made its pool.
	bmtpool.Rebuild()
	os.Exit(m.Run())
}

// discard is where Bee's splitter puts its chunks.
type discard struct{}

func (discard) Put(context.Context, swarm.Chunk) error { return nil }

// beeReference returns the reference that Bee's splitter gives for data.
func beeReference(tb rapid.TB, data []byte) content.Reference {
	tb.Helper()
	ctx := context.Background()
	addr, err := builder.FeedPipeline(ctx, builder.NewPipelineBuilder(ctx, discard{}, false, 0), bytes.NewReader(data))
	if err != nil {
		tb.Fatalf("bee's splitter: %v", err)
	}
	return content.Reference(addr.Bytes())
}

// sample is a file whose beginnings several tests use, so that Bee's splitter,
// which takes most of their time, sees each only once.
var sample struct {
	sync.Mutex
	data []byte
	refs map[int]content.Reference
}

// sampleFile returns the first size bytes of the sample, which are not to be
// changed, and the reference that Bee's splitter gives for them.
func sampleFile(tb rapid.TB, size int) ([]byte, content.Reference) {
	tb.Helper()
	sample.Lock()
	defer sample.Unlock()
	if sample.data == nil {
		sample.data = randomBytes(3, 128*mib+1)
		sample.refs = make(map[int]content.Reference)
	}
	data := sample.data[:size:size]
	ref, ok := sample.refs[size]
	if !ok {
		ref = beeReference(tb, data)
		sample.refs[size] = ref
	}
	return data, ref
}
