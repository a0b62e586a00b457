package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"swarmfs/swarmstore/meta"
)

// Rename moves an entry, with the rules and flags of renameat2(2). When it returns, the change has outlived a
// crash of this process; and if it replaced a file, the new one's bytes have been made durable before.
func (v *Volume) Rename(ctx context.Context, oldDir Ino, oldName string, newDir Ino, newName string, o RenameOptions) error {
	err := checkRename(oldName, newName, o.Flags)
	if err == nil {
		err = v.settle(ctx, oldDir, oldName, newDir, newName)
	}
	var replaced meta.Node
	if err == nil {
		err = v.s.update(ctx, func(tx *meta.Tx) (err error) {
			replaced, err = v.rename(tx, oldDir, oldName, newDir, newName, o)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("rename %q in inode %d to %q in inode %d: %w", oldName, oldDir, newName, newDir, err)
	}
	v.afterUnlink(replaced)
	return storeError(v.s.db.Commit())
}

func checkRename(oldName, newName string, flags RenameFlags) error {
	for _, name := range []string{oldName, newName} {
		if name == "." || name == ".." {
			return ErrBusy
		}
		if err := checkName(name); err != nil {
			return err
		}
	}
	if flags&^(RenameNoReplace|RenameExchange|RenameWhiteout) != 0 || flags&RenameExchange != 0 && flags != RenameExchange {
		return ErrInvalid
	}
	return nil
}

// settle records what is staged of a file that is about to replace another: whoever saves a document by
// renaming must find the old one or the new one after a crash, even without fsync.
func (v *Volume) settle(ctx context.Context, oldDir Ino, oldName string, newDir Ino, newName string) error {
	var ino int64
	replaces := false
	err := v.s.view(ctx, func(tx *meta.Tx) (err error) {
		if ino, err = tx.EntryIno(int64(oldDir), oldName); err != nil {
			return err
		}
		_, err = tx.EntryIno(int64(newDir), newName)
		replaces = err == nil
		return nil
	})
	if err != nil || !replaces {
		return err
	}
	i := v.s.inodes.find(ino)
	if i == nil {
		return nil
	}
	defer i.release()
	return i.record(ctx)
}

// renaming is a rename within its transaction.
type renaming struct {
	v                *Volume
	tx               *meta.Tx
	oldDir, newDir   Ino
	oldName, newName string
	from, to         meta.Node // to.Ino is 0 if there is nothing
	now              int64
}

func (v *Volume) rename(tx *meta.Tx, oldDir Ino, oldName string, newDir Ino, newName string, o RenameOptions) (replaced meta.Node, err error) {
	r := renaming{v: v, tx: tx, oldDir: oldDir, newDir: newDir, oldName: oldName, newName: newName, now: time.Now().UnixNano()}
	if err := r.load(o.Flags); err != nil {
		return meta.Node{}, err
	}
	switch {
	case r.from.Ino == r.to.Ino:
		return meta.Node{}, nil // two names of one node: POSIX wants nothing to happen
	case o.Flags&RenameExchange != 0:
		return meta.Node{}, r.exchange()
	}
	if r.to.Ino != 0 {
		if err := r.checkReplace(); err != nil {
			return meta.Node{}, err
		}
		if replaced, err = v.removeEntry(tx, newDir, newName, r.to); err != nil {
			return replaced, err
		}
	}
	if err := r.move(); err != nil {
		return replaced, err
	}
	if o.Flags&RenameWhiteout != 0 {
		_, err = v.create(tx, oldDir, oldName, NewNode{Mode: ModeCharDev, UID: o.UID, GID: o.GID})
	}
	return replaced, err
}

// load finds what is renamed and what is there already, and checks that they may be.
func (r *renaming) load(flags RenameFlags) (err error) {
	if _, err := r.v.dir(r.tx, r.oldDir); err != nil {
		return err
	}
	if r.from, err = r.v.lookup(r.tx, r.oldDir, r.oldName); err != nil {
		return err
	}
	into, err := r.v.dir(r.tx, r.newDir)
	if err != nil {
		return err
	}
	r.to, err = r.v.lookup(r.tx, r.newDir, r.newName)
	switch {
	case err == nil && flags&RenameNoReplace != 0:
		return ErrExist
	case errors.Is(err, ErrNotExist) && flags&RenameExchange != 0:
		return err
	case err != nil && !errors.Is(err, ErrNotExist):
		return err
	}
	if isDir(r.from) && r.oldDir != r.newDir && into.Nlink >= MaxLinks {
		return ErrTooManyLinks
	}
	if err := r.checkLoop(r.from, r.newDir); err != nil {
		return err
	}
	if flags&RenameExchange != 0 {
		return r.checkLoop(r.to, r.oldDir)
	}
	return nil
}

func isDir(n meta.Node) bool { return n.Mode&ModeType == ModeDir }

// checkLoop refuses to move a directory into itself or below.
func (r *renaming) checkLoop(moved meta.Node, into Ino) error {
	if !isDir(moved) {
		return nil
	}
	for ino := int64(into); ; {
		if ino == moved.Ino {
			return ErrInvalid
		}
		if ino == r.v.row.Root {
			return nil
		}
		n, err := r.tx.Node(ino)
		if err != nil {
			return err
		}
		ino = n.Parent
	}
}

func (r *renaming) checkReplace() error {
	switch {
	case isDir(r.from) && !isDir(r.to):
		return ErrNotDir
	case !isDir(r.from) && isDir(r.to):
		return ErrIsDir
	case isDir(r.to):
		return checkEmpty(r.tx, r.to)
	}
	return nil
}

// move puts the entry where nothing is in its way.
func (r *renaming) move() error {
	if err := r.tx.DeleteEntry(int64(r.oldDir), r.oldName); err != nil {
		return err
	}
	if err := r.tx.PutEntry(int64(r.newDir), r.newName, r.from.Ino); err != nil {
		return err
	}
	if err := r.settleIn(r.from, r.newDir); err != nil {
		return err
	}
	links := linksOf(isDir(r.from))
	if r.oldDir == r.newDir {
		links = 0
	}
	if err := r.v.touchDir(r.tx, r.oldDir, r.oldName, r.from, r.now, -links); err != nil {
		return err
	}
	return r.v.touchDir(r.tx, r.newDir, r.newName, r.from, r.now, links)
}

// exchange swaps two entries.
func (r *renaming) exchange() error {
	if err := r.tx.PutEntry(int64(r.oldDir), r.oldName, r.to.Ino); err != nil {
		return err
	}
	if err := r.tx.PutEntry(int64(r.newDir), r.newName, r.from.Ino); err != nil {
		return err
	}
	if err := r.settleIn(r.from, r.newDir); err != nil {
		return err
	}
	if err := r.settleIn(r.to, r.oldDir); err != nil {
		return err
	}
	links := linksOf(isDir(r.from)) - linksOf(isDir(r.to))
	if r.oldDir == r.newDir {
		links = 0
	}
	if err := r.v.touchDir(r.tx, r.oldDir, r.oldName, r.to, r.now, -links); err != nil {
		return err
	}
	return r.v.touchDir(r.tx, r.newDir, r.newName, r.from, r.now, links)
}

// settleIn notes in a moved node when, and in a directory whereto.
func (r *renaming) settleIn(n meta.Node, dir Ino) error {
	n, err := r.tx.Node(n.Ino)
	if err != nil {
		return err
	}
	n.Ctime = r.now
	if isDir(n) {
		n.Parent = int64(dir)
	}
	return r.tx.PutNode(&n)
}
