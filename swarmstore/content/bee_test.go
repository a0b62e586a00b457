package content_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/ethersphere/bee/v2/pkg/bmtpool"
	"github.com/ethersphere/bee/v2/pkg/file/pipeline/builder"
	"github.com/ethersphere/bee/v2/pkg/swarm"

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

// beePutter keeps the chunks that Bee's splitter makes, unless it is nil.
type beePutter map[content.Reference][]byte

func (p beePutter) Put(_ context.Context, c swarm.Chunk) error {
	if p != nil {
		p[content.Reference(c.Address().Bytes())] = bytes.Clone(c.Data())
	}
	return nil
}

// beeSplit runs Bee's splitter over data and keeps its chunks in p.
func beeSplit(tb testing.TB, data []byte, p beePutter) content.Reference {
	tb.Helper()
	ctx := context.Background()
	addr, err := builder.FeedPipeline(ctx, builder.NewPipelineBuilder(ctx, p, false, 0), bytes.NewReader(data))
	if err != nil {
		tb.Fatalf("bee's splitter: %v", err)
	}
	return content.Reference(addr.Bytes())
}

// beeReference returns the reference that Bee's splitter gives for data.
func beeReference(tb testing.TB, data []byte) content.Reference {
	tb.Helper()
	return beeSplit(tb, data, nil)
}
