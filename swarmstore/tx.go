package swarmstore

import (
	"context"
	"errors"
	"fmt"

	"swarmfs/swarmstore/meta"
)

// Tx is a transaction of several operations. It sees its own changes; others see all of them, or none.
type Tx struct {
	ctx     context.Context
	v       *Volume
	tx      *meta.Tx
	removed []meta.Node
	used    []*Content
}

// Update runs fn and makes everything that it did through tx visible together, and durable, if it returns
// nil; otherwise nothing of it has happened. fn must not use the Volume, which would wait for fn, and should
// be quick: other writers of the store wait too. Content is prepared before, with NewContent.
func (v *Volume) Update(ctx context.Context, fn func(tx *Tx) error) error {
	if v.s.o.ReadOnly {
		return ErrReadOnly
	}
	t := &Tx{ctx: ctx, v: v}
	err := v.s.db.UpdateAtomic(ctx, func(tx *meta.Tx) error {
		t.tx = tx
		return fn(t)
	})
	t.tx = nil
	if err != nil {
		return storeError(err)
	}
	for _, n := range t.removed {
		v.afterUnlink(n)
	}
	for _, c := range t.used {
		c.used = true
	}
	return storeError(v.s.db.Sync(ctx))
}

// Stat returns the attributes of what a path leads to.
func (t *Tx) Stat(p string) (Attr, error) {
	n, err := t.v.resolve(t.tx, p, true)
	return attrOf(n), pathError("stat", p, storeError(err))
}

// Mkdir makes a directory.
func (t *Tx) Mkdir(p string, mode uint32) error {
	return t.at("mkdir", p, func(dir Ino, name string) error {
		_, err := t.v.create(t.tx, dir, name, owned(ModeDir|mode&^ModeType))
		return err
	})
}

// Remove removes a file or an empty directory.
func (t *Tx) Remove(p string) error {
	return t.at("remove", p, func(dir Ino, name string) error {
		n, err := t.v.lookup(t.tx, dir, name)
		if err == nil && isDir(n) {
			err = checkEmpty(t.tx, n)
		}
		if err == nil {
			n, err = t.v.removeEntry(t.tx, dir, name, n)
			t.removed = append(t.removed, n)
		}
		return err
	})
}

// Rename renames with the rules of rename(2).
func (t *Tx) Rename(from, to string) error {
	return t.at("rename", from, func(oldDir Ino, oldName string) error {
		return t.at("rename to", to, func(newDir Ino, newName string) error {
			replaced, err := t.v.rename(t.tx, oldDir, oldName, newDir, newName, RenameOptions{})
			t.removed = append(t.removed, replaced)
			return err
		})
	})
}

// WriteContent gives a file content: see Volume.Put. A symlink is replaced, not followed.
func (t *Tx) WriteContent(p string, c *Content, mode uint32) error {
	return t.at("put", p, func(dir Ino, name string) error {
		old, err := t.v.lookup(t.tx, dir, name)
		switch {
		case err == nil && isDir(old):
			return ErrIsDir
		case err == nil:
			return t.replace(dir, name, old, c)
		case !errors.Is(err, ErrNotExist):
			return err
		}
		n, err := t.v.create(t.tx, dir, name, owned(ModeRegular|mode&^ModeType))
		if err != nil {
			return err
		}
		return t.fill(n, c)
	})
}

// replace puts a new file in the place of another. It is a new node, so that whoever has the old one open
// keeps reading it.
func (t *Tx) replace(dir Ino, name string, old meta.Node, c *Content) error {
	made := NewNode{Mode: ModeRegular | old.Mode&^ModeType, UID: old.UID, GID: old.GID}
	if old.Mode&ModeType != ModeRegular {
		made = owned(ModeRegular | 0o644)
	}
	xattrs := make(map[string][]byte)
	if err := t.tx.Xattrs(old.Ino, func(name string, value []byte) error { xattrs[name] = value; return nil }); err != nil {
		return err
	}
	removed, err := t.v.removeEntry(t.tx, dir, name, old)
	if err != nil {
		return err
	}
	t.removed = append(t.removed, removed)
	n, err := t.v.create(t.tx, dir, name, made)
	if err != nil {
		return err
	}
	n.Mode, n.GID = made.Mode, made.GID // as they were, whatever the directory hands down
	for name, value := range xattrs {
		n.Flags |= meta.FlagXattrs
		if err := t.tx.PutXattr(n.Ino, name, value); err != nil {
			return err
		}
	}
	return t.fill(n, c)
}

func (t *Tx) fill(n meta.Node, c *Content) error {
	if err := c.batch.Insert(t.tx, c.tree); err != nil {
		return err
	}
	if err := t.v.s.setContent(t.tx, &n, c.tree); err != nil {
		return err
	}
	n.Size, n.Allocated = c.tree.Size, c.tree.Size
	t.used = append(t.used, c)
	return t.tx.PutNode(&n)
}

// at resolves a path's parent for an operation on its last name.
func (t *Tx) at(op, p string, fn func(dir Ino, name string) error) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if t.tx == nil {
		return fmt.Errorf("%s %s: the transaction has ended", op, p)
	}
	dir, name, err := t.v.resolveParent(t.tx, p)
	if err == nil {
		err = fn(dir, name)
	}
	return pathError(op, p, storeError(err))
}
