package fdcache_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"swarmfs/swarmstore/fdcache"
)

func TestFilesInUseOutliveTheCache(t *testing.T) {
	dir := t.TempDir()
	opened := 0
	cache := fdcache.New[int](2)
	get := func(key int) *fdcache.Handle {
		t.Helper()
		h, err := cache.Get(key, func() (*os.File, error) {
			opened++
			return os.Create(filepath.Join(dir, strconv.Itoa(key)))
		})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := get(1)
	for key := 2; key <= 4; key++ {
		get(key).Release()
	}
	if _, err := first.WriteString("still open"); err != nil {
		t.Errorf("a file in use was closed: %v", err)
	}
	first.Release()
	if _, err := first.WriteString("x"); err == nil {
		t.Error("a file that nobody uses and the cache has dropped is still open")
	}
	again := get(4)
	if opened != 4 {
		t.Errorf("opened %d times, want 4: the last file was in the cache", opened)
	}
	cache.Remove(4)
	if _, err := again.WriteString("x"); err != nil {
		t.Errorf("a removed file in use was closed: %v", err)
	}
	again.Release()
	cache.Close()
	if _, err := again.WriteString("x"); err == nil {
		t.Error("open after Close")
	}
}
