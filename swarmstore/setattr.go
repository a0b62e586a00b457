package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swarmfs/swarmstore/acl"
	"swarmfs/swarmstore/meta"
)

// xattrCapability holds a file's capabilities, which a write or a new owner takes away like setuid.
const xattrCapability = "security.capability"

// Setattr changes attributes. Setting an owner or a group clears setuid and setgid of anything but a
// directory, as Linux does; a new mode changes the access ACL with it.
func (v *Volume) Setattr(ctx context.Context, ino Ino, set SetAttr) (Attr, error) {
	var err error
	if set.Size != nil {
		err = v.resize(ctx, ino, set)
	} else {
		err = v.setattr(ctx, ino, set)
	}
	if err != nil {
		return Attr{}, fmt.Errorf("set attributes of inode %d: %w", ino, err)
	}
	return v.Getattr(ctx, ino)
}

// resize changes the length, then the other attributes.
func (v *Volume) resize(ctx context.Context, ino Ino, set SetAttr) error {
	f, err := v.OpenFile(ctx, ino)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(ctx, *set.Size); err != nil {
		return err
	}
	if set.Mode == nil && set.UID == nil && set.GID == nil && set.Atime == nil && set.Mtime == nil && set.Ctime == nil && !set.KillPriv {
		return nil
	}
	return v.setattr(ctx, ino, set)
}

func (v *Volume) setattr(ctx context.Context, ino Ino, set SetAttr) error {
	// Times set here are newer than those of writes before, whether recorded or not.
	if i := v.s.inodes.find(int64(ino)); i != nil {
		defer i.release()
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.changed {
			if err := i.updateNode(ctx, func(*meta.Tx, *meta.Node) error { return nil }); err != nil {
				return err
			}
		}
	}
	return v.s.update(ctx, func(tx *meta.Tx) error {
		n, err := v.node(tx, ino)
		if err != nil {
			return err
		}
		if err := v.apply(tx, &n, set); err != nil {
			return err
		}
		if err := tx.PutNode(&n); err != nil {
			return err
		}
		return tx.Note(meta.Change{Volume: v.row.ID, Ino: n.Ino})
	})
}

// apply changes the attributes in a row, other than the size.
func (v *Volume) apply(tx *meta.Tx, n *meta.Node, set SetAttr) error {
	owner := set.UID != nil || set.GID != nil
	if set.UID != nil {
		n.UID = *set.UID
	}
	if set.GID != nil {
		n.GID = *set.GID
	}
	if (owner || set.KillPriv) && !isDir(*n) {
		if err := killPriv(tx, n); err != nil {
			return err
		}
	}
	if set.Mode != nil {
		n.Mode = n.Mode&ModeType | *set.Mode&^ModeType
		if err := chmodACL(tx, n); err != nil {
			return err
		}
	}
	if set.Atime != nil {
		n.Atime = nanoseconds(*set.Atime)
	}
	if set.Mtime != nil {
		n.Mtime = nanoseconds(*set.Mtime)
	}
	n.Ctime = time.Now().UnixNano()
	if set.Ctime != nil {
		n.Ctime = nanoseconds(*set.Ctime)
	}
	return nil
}

// killPriv takes away what lets a program run with more rights than its caller's.
func killPriv(tx *meta.Tx, n *meta.Node) error {
	n.Mode &^= ModeSetuid
	if n.Mode&0o010 != 0 {
		n.Mode &^= ModeSetgid
	}
	return deleteXattr(tx, n, xattrCapability)
}

// deleteXattr removes an extended attribute if it is there.
func deleteXattr(tx *meta.Tx, n *meta.Node, name string) error {
	if n.Flags&meta.FlagXattrs == 0 {
		return nil
	}
	left, err := tx.DeleteXattr(n.Ino, name)
	if errors.Is(err, meta.ErrNotFound) {
		return nil
	}
	if err == nil && left == 0 {
		n.Flags &^= meta.FlagXattrs
	}
	return err
}

// chmodACL fits a node's access ACL to its new mode.
func chmodACL(tx *meta.Tx, n *meta.Node) error {
	if n.Flags&meta.FlagXattrs == 0 {
		return nil
	}
	value, err := tx.Xattr(n.Ino, xattrACLAccess)
	if errors.Is(err, meta.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	access, err := acl.Parse(value)
	if err != nil {
		return fmt.Errorf("access ACL of inode %d: %w: %w", n.Ino, ErrCorrupt, err)
	}
	return tx.PutXattr(n.Ino, xattrACLAccess, access.Chmod(n.Mode).Encode())
}

// Accessed notes that a node was read, with the rule of relatime: only if that is news since the last change,
// or the last note is a day old.
func (v *Volume) Accessed(ctx context.Context, a Attr) error {
	now := time.Now()
	if v.s.o.ReadOnly || a.Atime.After(a.Mtime) && a.Atime.After(a.Ctime) && now.Sub(a.Atime) < 24*time.Hour {
		return nil
	}
	return v.s.update(ctx, func(tx *meta.Tx) error { return tx.SetAtime(int64(a.Ino), now.UnixNano()) })
}
