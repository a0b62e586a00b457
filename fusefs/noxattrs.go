package fusefs

import (
	"sync"
	"sync/atomic"

	"swarmfs/swarmstore"
)

// noXattrs remembers nodes that have no extended attribute. The zero value is ready.
//
// The fact comes with attributes, which another request may have read before the attribute was set. So whoever learns it
// takes the epoch before reading, and what was read in an earlier epoch teaches nothing.
type noXattrs struct {
	current atomic.Uint64
	shards  [noXattrShards]noXattrShard
}

// The shards keep parallel lookups from waiting for each other; together they remember a quarter of a million
// nodes in a few megabytes.
const (
	noXattrShards   = 16
	noXattrPerShard = 16 << 10
)

type noXattrShard struct {
	mu    sync.Mutex
	nodes map[swarmstore.Ino]struct{}
}

func (x *noXattrs) shard(ino swarmstore.Ino) *noXattrShard {
	return &x.shards[uint64(ino)%noXattrShards]
}

// epoch is taken before reading the attributes that are given to learn.
func (x *noXattrs) epoch() uint64 { return x.current.Load() }

// learn notes what attributes read in epoch tell.
func (x *noXattrs) learn(a *swarmstore.Attr, epoch uint64) {
	if a.HasXattrs {
		return
	}
	s := x.shard(a.Ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.current.Load() != epoch {
		return
	}
	if s.nodes == nil {
		s.nodes = make(map[swarmstore.Ino]struct{})
	}
	if len(s.nodes) >= noXattrPerShard {
		s.dropOne()
	}
	s.nodes[a.Ino] = struct{}{}
}

// dropOne makes room. Which node goes does not matter: it costs one query to learn again.
func (s *noXattrShard) dropOne() {
	for ino := range s.nodes {
		delete(s.nodes, ino)
		return
	}
}

// knownNone reports whether the node is known to have no extended attribute.
func (x *noXattrs) knownNone(ino swarmstore.Ino) bool {
	s := x.shard(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, none := s.nodes[ino]
	return none
}

// forget is called after the attributes of a node may have changed.
func (x *noXattrs) forget(ino swarmstore.Ino) {
	x.current.Add(1)
	s := x.shard(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nodes, ino)
}

// forgetAll is forget for every node.
func (x *noXattrs) forgetAll() {
	x.current.Add(1)
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		clear(s.nodes)
		s.mu.Unlock()
	}
}
