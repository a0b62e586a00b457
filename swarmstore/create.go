package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swarmfs/swarmstore/acl"
	"swarmfs/swarmstore/meta"
)

// Names of the extended attributes that hold a file's ACLs.
const (
	xattrACLAccess  = "system.posix_acl_access"
	xattrACLDefault = "system.posix_acl_default"
)

// Create makes a node of any type under a name that the directory does not have.
func (v *Volume) Create(ctx context.Context, dir Ino, name string, n NewNode) (Attr, error) {
	var made meta.Node
	err := checkName(name)
	if err == nil {
		err = v.s.update(ctx, func(tx *meta.Tx) (err error) { made, err = v.create(tx, dir, name, n); return err })
	}
	if err != nil {
		return Attr{}, fmt.Errorf("create %q in inode %d: %w", name, dir, err)
	}
	return attrOf(made), nil
}

func (v *Volume) create(tx *meta.Tx, dir Ino, name string, n NewNode) (meta.Node, error) {
	parent, err := v.dir(tx, dir)
	if err != nil {
		return meta.Node{}, err
	}
	switch _, err := tx.EntryIno(int64(dir), name); {
	case err == nil:
		return meta.Node{}, ErrExist
	case !errors.Is(err, meta.ErrNotFound):
		return meta.Node{}, err
	}
	isDir := n.Mode&ModeType == ModeDir
	if isDir && parent.Nlink >= MaxLinks {
		return meta.Node{}, ErrTooManyLinks
	}
	node, err := v.insert(tx, parent, n)
	if err != nil {
		return node, err
	}
	if err := tx.InsertEntry(int64(dir), name, node.Ino); err != nil {
		return node, err
	}
	return node, v.touchDir(tx, dir, name, node, node.Ctime, linksOf(isDir))
}

// linksOf is the number of links that a child adds to its directory.
func linksOf(isDir bool) int {
	if isDir {
		return 1
	}
	return 0
}

// touchDir notes that an entry of a directory has changed.
func (v *Volume) touchDir(tx *meta.Tx, dir Ino, name string, child meta.Node, now int64, links int) error {
	if err := tx.TouchDir(int64(dir), now, links); err != nil {
		return err
	}
	return tx.Note(meta.Change{Volume: v.row.ID, Ino: child.Ino, Dir: int64(dir), Name: name})
}

// insert adds a node as a child of parent would be: with its group, setgid bit and default ACL.
func (v *Volume) insert(tx *meta.Tx, parent meta.Node, n NewNode) (meta.Node, error) {
	if len(n.Target) > MaxTargetLen {
		return meta.Node{}, ErrNameTooLong
	}
	inherited, err := v.inheritACL(tx, parent, &n)
	if err != nil {
		return meta.Node{}, err
	}
	if parent.Mode&ModeSetgid != 0 {
		n.GID = parent.GID
		if n.Mode&ModeType == ModeDir {
			n.Mode |= ModeSetgid
		}
	}
	now := time.Now().UnixNano()
	node := meta.Node{
		Volume: v.row.ID, Mode: n.Mode, Nlink: 1, UID: n.UID, GID: n.GID, Rdev: n.Rdev,
		Atime: now, Mtime: now, Ctime: now, Btime: now,
	}
	switch n.Mode & ModeType {
	case ModeDir:
		node.Nlink, node.Parent = 2, parent.Ino
	case ModeSymlink:
		node.Content, node.Size = []byte(n.Target), int64(len(n.Target))
	}
	if len(inherited) > 0 {
		node.Flags |= meta.FlagXattrs
	}
	if node.Ino, err = tx.NextIno(); err != nil {
		return node, err
	}
	for name, value := range inherited {
		if err := tx.PutXattr(node.Ino, name, value); err != nil {
			return node, err
		}
	}
	return node, tx.InsertNode(&node)
}

// inheritACL applies the directory's default ACL to a new node's mode, or the umask if there is none. It
// returns the attributes that the node gets by it.
func (v *Volume) inheritACL(tx *meta.Tx, parent meta.Node, n *NewNode) (map[string][]byte, error) {
	if n.Mode&ModeType == ModeSymlink {
		return nil, nil
	}
	value, err := v.defaultACL(tx, parent)
	if err != nil {
		return nil, err
	}
	if value == nil {
		n.Mode &^= n.Umask & modePerm
		return nil, nil
	}
	def, err := acl.Parse(value)
	if err != nil {
		return nil, fmt.Errorf("default ACL of inode %d: %w: %w", parent.Ino, ErrCorrupt, err)
	}
	inherited := make(map[string][]byte)
	access, mode := def.Create(n.Mode)
	n.Mode = mode
	if access != nil {
		inherited[xattrACLAccess] = access.Encode()
	}
	if n.Mode&ModeType == ModeDir {
		inherited[xattrACLDefault] = value
	}
	return inherited, nil
}

func (v *Volume) defaultACL(tx *meta.Tx, dir meta.Node) ([]byte, error) {
	if dir.Flags&meta.FlagXattrs == 0 {
		return nil, nil
	}
	value, err := tx.Xattr(dir.Ino, xattrACLDefault)
	if errors.Is(err, meta.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

// CreateTemp makes a file without a name, which lives as long as it is open or retained unless Link names it.
func (v *Volume) CreateTemp(ctx context.Context, dir Ino, n NewNode) (Attr, error) {
	var made meta.Node
	err := v.s.update(ctx, func(tx *meta.Tx) error {
		parent, err := v.dir(tx, dir)
		if err != nil {
			return err
		}
		if made, err = v.insert(tx, parent, n); err != nil {
			return err
		}
		made.Nlink = 0
		if err := tx.PutNode(&made); err != nil {
			return err
		}
		return tx.AddOrphan(made.Ino, v.s.session.row.ID)
	})
	if err != nil {
		return Attr{}, fmt.Errorf("create a temporary file in inode %d: %w", dir, err)
	}
	v.s.retained.orphaned(made.Ino)
	return attrOf(made), nil
}

// Link gives a node one more name.
func (v *Volume) Link(ctx context.Context, ino, dir Ino, name string) (Attr, error) {
	var n meta.Node
	err := checkName(name)
	if err == nil {
		err = v.s.update(ctx, func(tx *meta.Tx) (err error) { n, err = v.link(tx, ino, dir, name); return err })
	}
	if err != nil {
		return Attr{}, fmt.Errorf("link inode %d as %q in inode %d: %w", ino, name, dir, err)
	}
	v.s.retained.named(n.Ino)
	if i := v.s.inodes.find(n.Ino); i != nil {
		v.s.sealer.soon(i) // without a name it was not worth sealing
		i.release()
	}
	return v.Getattr(ctx, ino)
}

func (v *Volume) link(tx *meta.Tx, ino, dir Ino, name string) (n meta.Node, err error) {
	if n, err = v.node(tx, ino); err != nil {
		return n, err
	}
	if _, err := v.dir(tx, dir); err != nil {
		return n, err
	}
	switch _, err := tx.EntryIno(int64(dir), name); {
	case err == nil:
		return n, ErrExist
	case !errors.Is(err, meta.ErrNotFound):
		return n, err
	case n.Mode&ModeType == ModeDir:
		return n, ErrPermission
	case n.Nlink >= MaxLinks:
		return n, ErrTooManyLinks
	}
	if n.Nlink == 0 {
		if err := tx.RemoveOrphan(n.Ino); err != nil {
			return n, err
		}
	}
	n.Nlink++
	n.Ctime = time.Now().UnixNano()
	if err := tx.PutNode(&n); err != nil {
		return n, err
	}
	if err := tx.InsertEntry(int64(dir), name, n.Ino); err != nil {
		return n, err
	}
	return n, v.touchDir(tx, dir, name, n, n.Ctime, 0)
}
