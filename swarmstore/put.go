package swarmstore

import (
	"bytes"
	"context"
	"io"
	"os"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/objects"
)

// Content is sealed content that no file has yet. It is made by NewContent, given to files by
// Tx.WriteContent, and closed in the end.
type Content struct {
	s     *Store
	tree  content.Tree
	batch *objects.Batch
	used  bool // a file has it
}

// NewContent seals what a reader delivers, hashing on all cores with a few blocks in memory, and makes it
// durable. Close it after use: until then deleted content cannot be collected.
func (v *Volume) NewContent(ctx context.Context, r io.Reader) (*Content, error) {
	if v.s.o.ReadOnly {
		return nil, ErrReadOnly
	}
	batch, err := v.s.objects.Begin()
	if err != nil {
		return nil, err
	}
	c := &Content{s: v.s, batch: batch}
	if c.tree, err = v.s.hasher.Split(ctx, r, batch); err == nil {
		err = batch.Barrier()
	}
	if err != nil {
		batch.Close()
		return nil, storeError(err)
	}
	return c, nil
}

// Reference returns the content's Swarm reference.
func (c *Content) Reference() content.Reference { return c.tree.Root }

// Size returns the content's length in bytes.
func (c *Content) Size() int64 { return c.tree.Size }

// Close ends the use of the content. What no file was given is collected.
func (c *Content) Close() {
	if !c.used {
		c.s.sweep.Store(true)
	}
	c.batch.Close()
}

// Put writes what a reader delivers to a file. The file appears with all of it, or not at all; one that was
// there is replaced as rename(2) does, and passes on its mode, owner and extended attributes. It is durable
// when Put returns.
func (v *Volume) Put(ctx context.Context, p string, r io.Reader, mode uint32) (Attr, error) {
	c, err := v.NewContent(ctx, r)
	if err != nil {
		return Attr{}, pathError("put", p, err)
	}
	defer c.Close()
	if err := v.Update(ctx, func(tx *Tx) error { return tx.WriteContent(p, c, mode) }); err != nil {
		return Attr{}, err
	}
	return v.Stat(ctx, p)
}

// WriteFile is Put of bytes in memory.
func (v *Volume) WriteFile(ctx context.Context, p string, data []byte, mode uint32) error {
	_, err := v.Put(ctx, p, bytes.NewReader(data), mode)
	return err
}

// owned returns a new node of this process's user.
func owned(mode uint32) NewNode {
	return NewNode{Mode: mode, UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
}
