package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/acl"
	"swarmfs/swarmstore/meta"
)

// maxXattrList is the length of all names that listxattr(2) can return.
const maxXattrList = 64 << 10

// Getxattr returns an extended attribute, ErrNoXattr if it does not exist.
func (v *Volume) Getxattr(ctx context.Context, ino Ino, name string) (value []byte, err error) {
	if strings.HasPrefix(name, swarmXattrPrefix) {
		return v.swarmXattr(ctx, ino, name)
	}
	if err := checkXattr(name, nil); err != nil {
		return nil, fmt.Errorf("xattr %s: %w", name, err)
	}
	err = v.s.view(ctx, func(tx *meta.Tx) error {
		n, err := v.node(tx, ino)
		if err != nil {
			return err
		}
		if n.Flags&meta.FlagXattrs == 0 {
			return ErrNoXattr
		}
		value, err = tx.Xattr(n.Ino, name)
		if errors.Is(err, meta.ErrNotFound) {
			return ErrNoXattr
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("xattr %s of inode %d: %w", name, ino, err)
	}
	return value, nil
}

// Listxattr returns the names of a node's extended attributes. The swarm.* ones are not among them, so
// that copying programs do not try to set them.
func (v *Volume) Listxattr(ctx context.Context, ino Ino) (names []string, err error) {
	err = v.s.view(ctx, func(tx *meta.Tx) error {
		n, err := v.node(tx, ino)
		if err != nil || n.Flags&meta.FlagXattrs == 0 {
			return err
		}
		return tx.Xattrs(n.Ino, func(name string, _ []byte) error {
			names = append(names, name)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list xattrs of inode %d: %w", ino, err)
	}
	return names, nil
}

// Setxattr sets an extended attribute; flags are XATTR_CREATE and XATTR_REPLACE of setxattr(2). Setting
// an access ACL changes the mode with it.
func (v *Volume) Setxattr(ctx context.Context, ino Ino, name string, value []byte, flags int) error {
	err := checkXattr(name, value)
	if err == nil {
		err = v.changeXattrs(ctx, ino, func(tx *meta.Tx, n *meta.Node) error { return setXattr(tx, n, name, value, flags) })
	}
	if err != nil {
		return fmt.Errorf("set xattr %s of inode %d: %w", name, ino, err)
	}
	return nil
}

// Removexattr removes an extended attribute.
func (v *Volume) Removexattr(ctx context.Context, ino Ino, name string) error {
	err := checkXattr(name, nil)
	if err == nil {
		err = v.changeXattrs(ctx, ino, func(tx *meta.Tx, n *meta.Node) error {
			if n.Flags&meta.FlagXattrs == 0 {
				return ErrNoXattr
			}
			left, err := tx.DeleteXattr(n.Ino, name)
			if errors.Is(err, meta.ErrNotFound) {
				return ErrNoXattr
			}
			if left == 0 {
				n.Flags &^= meta.FlagXattrs
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("remove xattr %s of inode %d: %w", name, ino, err)
	}
	return nil
}

func (v *Volume) changeXattrs(ctx context.Context, ino Ino, fn func(*meta.Tx, *meta.Node) error) error {
	return v.s.update(ctx, func(tx *meta.Tx) error {
		n, err := v.node(tx, ino)
		if err != nil {
			return err
		}
		if err := fn(tx, &n); err != nil {
			return err
		}
		n.Ctime = time.Now().UnixNano()
		if err := tx.PutNode(&n); err != nil {
			return err
		}
		return tx.Note(meta.Change{Volume: v.row.ID, Ino: n.Ino})
	})
}

// checkXattr refuses names and values that a local filesystem would refuse.
func checkXattr(name string, value []byte) error {
	if len(value) > MaxXattrValue {
		return ErrXattrTooBig
	}
	return CheckXattrName(name)
}

// CheckXattrName refuses names that no extended attribute can be stored under.
func CheckXattrName(name string) error {
	switch {
	case len(name) > MaxXattrName:
		return ErrNameTooLong
	case strings.HasPrefix(name, swarmXattrPrefix):
		return ErrPermission
	case name == xattrACLAccess || name == xattrACLDefault:
		return nil
	}
	for _, prefix := range []string{"user.", "trusted.", "security."} {
		if name == prefix {
			return ErrInvalid
		}
		if strings.HasPrefix(name, prefix) {
			return nil
		}
	}
	return ErrNotSupported
}

func setXattr(tx *meta.Tx, n *meta.Node, name string, value []byte, flags int) error {
	if name == xattrACLAccess || name == xattrACLDefault {
		return setACL(tx, n, name, value)
	}
	_, err := tx.Xattr(n.Ino, name)
	exists := err == nil
	switch {
	case err != nil && !errors.Is(err, meta.ErrNotFound):
		return err
	case exists && flags&unix.XATTR_CREATE != 0:
		return ErrExist
	case !exists && flags&unix.XATTR_REPLACE != 0:
		return ErrNoXattr
	}
	if !exists {
		if err := checkXattrRoom(tx, n, name); err != nil {
			return err
		}
	}
	n.Flags |= meta.FlagXattrs
	return tx.PutXattr(n.Ino, name, value)
}

// checkXattrRoom refuses more names than can be listed.
func checkXattrRoom(tx *meta.Tx, n *meta.Node, name string) error {
	total := len(name) + 1
	err := tx.Xattrs(n.Ino, func(name string, _ []byte) error {
		total += len(name) + 1
		return nil
	})
	if err == nil && total > maxXattrList {
		err = ErrNoSpace
	}
	return err
}

// setACL keeps an ACL, or only the mode if that says the same.
func setACL(tx *meta.Tx, n *meta.Node, name string, value []byte) error {
	if name == xattrACLDefault && !isDir(*n) {
		return ErrPermission
	}
	if len(value) == 0 {
		return deleteXattr(tx, n, name)
	}
	list, err := acl.Parse(value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(list) == 0 {
		return deleteXattr(tx, n, name)
	}
	if name == xattrACLAccess {
		perm, exact := list.EquivMode()
		n.Mode = n.Mode&^modePerm | perm
		if exact {
			return deleteXattr(tx, n, name)
		}
	}
	n.Flags |= meta.FlagXattrs
	return tx.PutXattr(n.Ino, name, value)
}
