package swarmstore

import (
	"context"
	"fmt"
	"path"
	"strconv"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/feeds"
	"swarmfs/swarmstore/meta"
)

// swarmXattrPrefix begins the names of the extended attributes that tell what Swarm knows of a node. They
// can be read, not set, and are not listed:
//
//	swarm.inode      the inode number
//	swarm.path       the path in the volume
//	swarm.reference  the Swarm reference of a file's sealed content
//	swarm.rung       staged, local, node or network
//	swarm.topic      the topic of the feed of the path's content
//	swarm.topic.mtdt the topic of the feed of the path's metadata
const swarmXattrPrefix = "swarm."

func (v *Volume) swarmXattr(ctx context.Context, ino Ino, name string) ([]byte, error) {
	text, err := v.swarmAttribute(ctx, ino, name[len(swarmXattrPrefix):])
	if err != nil {
		return nil, fmt.Errorf("xattr %s of inode %d: %w", name, ino, err)
	}
	return []byte(text), nil
}

func (v *Volume) swarmAttribute(ctx context.Context, ino Ino, name string) (string, error) {
	a, err := v.Getattr(ctx, ino)
	if err != nil {
		return "", err
	}
	switch name {
	case "inode":
		return strconv.FormatUint(uint64(ino), 10), nil
	case "reference":
		if !a.IsRegular() {
			return "", ErrNoXattr
		}
		return a.Reference.String(), nil
	case "rung":
		r, err := v.Rung(ctx, a)
		return r.String(), err
	}
	p, err := v.PathOf(ctx, ino)
	if err != nil {
		return "", err
	}
	switch name {
	case "path":
		return p, nil
	case "topic":
		return feeds.Data(v.Name(), p).String(), nil
	case "topic.mtdt":
		return feeds.Metadata(v.Name(), p).String(), nil
	}
	return "", ErrNoXattr
}

// Rung is a step of the ladder that data climbs from this process to the network.
type Rung int

// The rungs.
const (
	RungStaged  Rung = iota // written, not sealed
	RungLocal               // sealed on this disk
	RungNode                // a Bee node accepted it
	RungNetwork             // the network confirmed it
)

// String returns the rung's name.
func (r Rung) String() string {
	return [...]string{"staged", "local", "node", "network"}[r]
}

// Rung tells on which rung a node's content stands.
func (v *Volume) Rung(ctx context.Context, a Attr) (Rung, error) {
	if !a.Sealed {
		return RungStaged, nil
	}
	if !a.IsRegular() || a.Size == 0 {
		return RungLocal, nil
	}
	rung := RungLocal
	err := v.s.view(ctx, func(tx *meta.Tx) error {
		return tx.ObjectRung(a.Reference[:], func(r meta.Rung) { rung = Rung(r) })
	})
	return rung, err
}

// PathOf returns a path that leads to a node: the only one, unless the node has hard links.
func (v *Volume) PathOf(ctx context.Context, ino Ino) (p string, err error) {
	err = v.s.view(ctx, func(tx *meta.Tx) error { p, err = v.pathOf(tx, int64(ino)); return err })
	if err != nil {
		return "", fmt.Errorf("path of inode %d: %w", ino, err)
	}
	return p, nil
}

func (v *Volume) pathOf(tx *meta.Tx, ino int64) (string, error) {
	p := ""
	for ino != v.row.Root {
		dir, name := int64(0), ""
		err := tx.Names(ino, func(d int64, n string) error { dir, name = d, n; return nil })
		if err != nil {
			return "", err
		}
		if dir == 0 {
			return "", ErrNotExist // removed, but still open
		}
		p, ino = path.Join("/", name, p), dir
	}
	return path.Join("/", p), nil
}

// References calls fn with the reference of each block of a sealed file, in order.
func (v *Volume) References(ctx context.Context, a Attr, fn func(index int64, ref content.Reference) error) error {
	tree := content.Tree{Root: a.Reference, Size: a.Size}
	return storeError(content.Blocks(ctx, v.s.objects, tree, 0, content.BlockCount(a.Size)-1, fn))
}
