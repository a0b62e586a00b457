package content_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"swarmfs/swarmstore/content"
)

var errMissing = errors.New("chunk is not stored")

// memory is a Sink and a ChunkReader that keeps everything and counts.
type memory struct {
	mu     sync.Mutex
	blocks map[content.Reference][]byte
	chunks map[content.Reference][]byte
	reads  int
}

func newMemory() *memory {
	return &memory{
		blocks: make(map[content.Reference][]byte),
		chunks: make(map[content.Reference][]byte),
	}
}

func (m *memory) PutBlock(_ context.Context, ref content.Reference, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocks[ref] = bytes.Clone(data)
	return nil
}

func (m *memory) PutChunk(_ context.Context, c content.Chunk) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chunks[c.Ref] = c.Data
	return nil
}

func (m *memory) Chunk(_ context.Context, ref content.Reference) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	data, ok := m.chunks[ref]
	if !ok {
		return nil, errMissing
	}
	return data, nil
}

// add keeps the chunks that Update returned.
func (m *memory) add(chunks []content.Chunk) {
	for _, c := range chunks {
		m.chunks[c.Ref] = c.Data
	}
}

// randomBytes returns n bytes that depend on seed alone.
func randomBytes(seed uint64, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}).Read(data)
	return data
}
