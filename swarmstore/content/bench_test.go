package content_test

import (
	"bytes"
	"context"
	"testing"

	"swarmfs/swarmstore/content"
)

// Block is measured against the bare hashing of its chunks, and Split against
// Bee's splitter: go test -bench . -cpu 1,2

func BenchmarkChunk(b *testing.B) {
	data := randomBytes(1, content.ChunkSize)
	b.SetBytes(content.ChunkSize)
	for b.Loop() {
		hasher.Chunk(content.ChunkSize, data)
	}
}

func BenchmarkBlock(b *testing.B) {
	data := randomBytes(1, content.BlockSize)
	b.SetBytes(content.BlockSize)
	for b.Loop() {
		hasher.Block(data)
	}
}

func BenchmarkBlockParallel(b *testing.B) {
	data := randomBytes(1, content.BlockSize)
	b.SetBytes(content.BlockSize)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			hasher.Block(data)
		}
	})
}

func BenchmarkBlockOfZeros(b *testing.B) {
	data := make([]byte, content.BlockSize)
	b.SetBytes(content.BlockSize)
	for b.Loop() {
		hasher.Block(data)
	}
}

func BenchmarkSplit(b *testing.B) {
	data := randomBytes(1, 64*mib)
	sink := sinkFunc{block: func(context.Context, []byte) error { return nil }}
	b.SetBytes(64 * mib)
	for b.Loop() {
		if _, err := hasher.Split(context.Background(), bytes.NewReader(data), sink); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplitByBee(b *testing.B) {
	data := randomBytes(1, 64*mib)
	b.SetBytes(64 * mib)
	for b.Loop() {
		beeReference(b, data)
	}
}
