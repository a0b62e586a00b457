// Package fdcache keeps recently used files open, so that reading and writing
// small pieces of many files does not open and close one each time.
//
// A file is closed when it has left the cache and nobody uses it any more. The
// cache may hold more than its limit for as long as more are in use at once.
package fdcache

import (
	"os"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache holds open files by key. It is safe for concurrent use.
type Cache[K comparable] struct {
	mu  sync.Mutex
	lru *simplelru.LRU[K, *Handle]
}

// Handle is an open file in use. Release gives it back.
type Handle struct {
	*os.File
	refs int         // uses, and one for the cache; under mu
	mu   *sync.Mutex // the cache's
}

// New returns a cache that keeps up to limit files open.
func New[K comparable](limit int) *Cache[K] {
	c := &Cache[K]{}
	lru, err := simplelru.NewLRU(max(limit, 1), func(_ K, h *Handle) { h.drop() })
	if err != nil {
		panic(err) // only a limit below 1 fails
	}
	c.lru = lru
	return c
}

// Get returns the file for key, opening it if it is not in the cache.
func (c *Cache[K]) Get(key K, open func() (*os.File, error)) (*Handle, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.lru.Get(key); ok {
		h.refs++
		return h, nil
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	h := &Handle{File: f, refs: 2, mu: &c.mu}
	c.lru.Add(key, h)
	return h, nil
}

// Remove lets go of the file for key, if it is there.
func (c *Cache[K]) Remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(key)
}

// Close lets go of all files.
func (c *Cache[K]) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Purge()
}

// Release ends one use of the file.
func (h *Handle) Release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop()
}

// drop counts one use less. The lock is held.
func (h *Handle) drop() {
	if h.refs--; h.refs == 0 {
		// What was written through a cached file is synced by its writer; an error here means nothing more.
		_ = h.File.Close()
	}
}
