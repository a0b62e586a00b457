package swarmstore_test

import (
	"testing"
)

// BenchmarkSeal measures how fast staged bytes, already on the disk, become blocks. Compare it with
// BenchmarkBlockParallel of package content, the rate of hashing alone.
func BenchmarkSeal(b *testing.B) {
	const size = 256 << 20
	v := newVolume(b)
	ctx := b.Context()
	b.SetBytes(size)
	for b.Loop() {
		b.StopTimer()
		if err := v.WriteFile(ctx, "/f", nil, 0o644); err != nil {
			b.Fatal(err)
		}
		f, err := v.Open(ctx, "/f")
		if err != nil {
			b.Fatal(err)
		}
		data := random(size)
		for off := 0; off < size; off += 1 << 20 {
			if _, err := f.WriteAt(ctx, data[off:off+1<<20], int64(off)); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(ctx, true); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := v.Store().Seal(ctx); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
