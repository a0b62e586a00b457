package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"swarmfs/swarmstore/meta"
)

// maxSymlinks is how many symlinks one path may lead through, as in Linux.
const maxSymlinks = 40

// listPage is how many entries List and Walk read at a time.
const listPage = 1024

// resolve finds the node that a path stands for. Paths begin at the volume's root, with or without a
// slash, and ".." never leads out of it; neither does a symlink: one with an absolute target leads nowhere.
func (v *Volume) resolve(tx *meta.Tx, p string, follow bool) (meta.Node, error) {
	links := 0
	return v.walkPath(tx, v.row.Root, path.Clean("/"+p), follow, &links)
}

// walkPath finds the node at p below dir.
func (v *Volume) walkPath(tx *meta.Tx, dir int64, p string, follow bool, links *int) (n meta.Node, err error) {
	if n, err = tx.Node(dir); err != nil {
		return n, err
	}
	for rest := strings.Trim(p, "/"); rest != ""; {
		name, more, _ := strings.Cut(rest, "/")
		rest = strings.TrimLeft(more, "/")
		if n.Mode&ModeType != ModeDir {
			return n, ErrNotDir
		}
		if len(name) > MaxNameLen {
			return n, ErrNameTooLong
		}
		dir = n.Ino
		if n, err = v.lookup(tx, Ino(dir), name); err != nil {
			return n, err
		}
		if n.Mode&ModeType != ModeSymlink || rest == "" && !follow {
			continue
		}
		if n, err = v.followLink(tx, dir, string(n.Content), links); err != nil {
			return n, err
		}
	}
	return n, nil
}

// followLink finds what a symlink in dir leads to.
func (v *Volume) followLink(tx *meta.Tx, dir int64, target string, links *int) (n meta.Node, err error) {
	if *links++; *links > maxSymlinks {
		return n, ErrLoop
	}
	if strings.HasPrefix(target, "/") {
		return n, fmt.Errorf("%w: symlink %q leads out of the volume", ErrNotExist, target)
	}
	return v.walkPath(tx, dir, target, true, links)
}

// resolveParent finds the directory that holds the last name of a path.
func (v *Volume) resolveParent(tx *meta.Tx, p string) (dir Ino, name string, err error) {
	p = path.Clean("/" + p)
	if p == "/" {
		return 0, "", ErrBusy
	}
	parent, name := path.Split(p)
	n, err := v.resolve(tx, parent, true)
	if err == nil && n.Mode&ModeType != ModeDir {
		err = ErrNotDir
	}
	if err == nil {
		err = checkName(name)
	}
	return Ino(n.Ino), name, err
}

func pathError(op, p string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", op, path.Clean("/"+p), err)
}

func (v *Volume) stat(ctx context.Context, op, p string, follow bool) (Attr, error) {
	removals := v.s.inodes.removals()
	var n meta.Node
	err := v.s.view(ctx, func(tx *meta.Tx) (err error) { n, err = v.resolve(tx, p, follow); return err })
	if err != nil {
		return Attr{}, pathError(op, p, err)
	}
	a, err := v.attr(ctx, n, removals)
	return a, pathError(op, p, err)
}

func (v *Volume) parentOf(ctx context.Context, op, p string) (dir Ino, name string, err error) {
	err = v.s.view(ctx, func(tx *meta.Tx) (err error) { dir, name, err = v.resolveParent(tx, p); return err })
	return dir, name, pathError(op, p, err)
}

// Stat returns the attributes of what a path leads to.
func (v *Volume) Stat(ctx context.Context, p string) (Attr, error) {
	return v.stat(ctx, "stat", p, true)
}

// Lstat is Stat, but of a symlink itself if the last name is one.
func (v *Volume) Lstat(ctx context.Context, p string) (Attr, error) {
	return v.stat(ctx, "stat", p, false)
}

// Open opens a regular file.
func (v *Volume) Open(ctx context.Context, p string) (*File, error) {
	a, err := v.stat(ctx, "open", p, true)
	if err != nil {
		return nil, err
	}
	if a.IsDir() {
		return nil, pathError("open", p, ErrIsDir)
	}
	f, err := v.OpenFile(ctx, a.Ino)
	return f, pathError("open", p, err)
}

// ReadFile returns the content of a file.
func (v *Volume) ReadFile(ctx context.Context, p string) ([]byte, error) {
	f, err := v.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := f.Attr(ctx)
	if err != nil {
		return nil, pathError("read", p, err)
	}
	data := make([]byte, a.Size)
	n, err := f.ReadAt(ctx, data, 0)
	if err != nil && err != io.EOF {
		return nil, pathError("read", p, err)
	}
	return data[:n], nil
}

// Append adds data to the end of a file, durably.
func (v *Volume) Append(ctx context.Context, p string, data []byte) error {
	f, err := v.Open(ctx, p)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Append(ctx, data); err != nil {
		return pathError("append to", p, err)
	}
	return pathError("append to", p, f.Sync(ctx, true))
}

// List returns the entries of a directory by name.
func (v *Volume) List(ctx context.Context, p string) ([]DirEntry, error) {
	a, err := v.stat(ctx, "list", p, true)
	if err != nil {
		return nil, err
	}
	var list []DirEntry
	for after := ""; ; after = list[len(list)-1].Name {
		page, err := v.ReadDir(ctx, a.Ino, after, listPage)
		if err != nil || len(page) == 0 {
			return list, pathError("list", p, err)
		}
		list = append(list, page...)
	}
}

// Walk calls fn for a path and everything below it, parents before children and names in byte order. If fn
// returns fs.SkipDir for a directory, what is below that is left out; fs.SkipAll ends the walk without error.
func (v *Volume) Walk(ctx context.Context, p string, fn func(p string, a Attr) error) error {
	p = path.Clean("/" + p)
	a, err := v.Lstat(ctx, p)
	if err == nil {
		err = v.walk(ctx, p, a, fn)
	}
	if errors.Is(err, fs.SkipAll) || errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

func (v *Volume) walk(ctx context.Context, p string, a Attr, fn func(p string, a Attr) error) error {
	if err := fn(p, a); err != nil || !a.IsDir() {
		return err
	}
	for after := ""; ; {
		page, err := v.ReadDir(ctx, a.Ino, after, listPage)
		if err != nil || len(page) == 0 {
			return pathError("walk", p, err)
		}
		for _, e := range page {
			err := v.walk(ctx, path.Join(p, e.Name), e.Attr, fn)
			if err != nil && !errors.Is(err, fs.SkipDir) {
				return err
			}
			after = e.Name
		}
	}
}

// MovePath renames with the rules of rename(2): what stands at to is replaced.
func (v *Volume) MovePath(ctx context.Context, from, to string) error {
	oldDir, oldName, err := v.parentOf(ctx, "rename", from)
	if err != nil {
		return err
	}
	newDir, newName, err := v.parentOf(ctx, "rename to", to)
	if err != nil {
		return err
	}
	return pathError("rename", from, v.Rename(ctx, oldDir, oldName, newDir, newName, RenameOptions{}))
}

// Remove removes a file or an empty directory.
func (v *Volume) Remove(ctx context.Context, p string) error {
	dir, name, err := v.parentOf(ctx, "remove", p)
	if err != nil {
		return err
	}
	if _, err = v.Unlink(ctx, dir, name); errors.Is(err, ErrIsDir) {
		_, err = v.Rmdir(ctx, dir, name)
	}
	return pathError("remove", p, err)
}

// RemoveAll removes a path and everything below it. A path that does not exist is removed already.
func (v *Volume) RemoveAll(ctx context.Context, p string) error {
	err := v.Remove(ctx, p)
	switch {
	case errors.Is(err, ErrNotExist):
		return nil
	case !errors.Is(err, ErrNotEmpty):
		return err
	}
	list, err := v.List(ctx, p)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := v.RemoveAll(ctx, path.Join("/", p, e.Name)); err != nil {
			return err
		}
	}
	return v.RemoveAll(ctx, p)
}

// Mkdir makes a directory.
func (v *Volume) Mkdir(ctx context.Context, p string, mode uint32) error {
	dir, name, err := v.parentOf(ctx, "mkdir", p)
	if err == nil {
		_, err = v.Create(ctx, dir, name, owned(ModeDir|mode&^ModeType))
		err = pathError("mkdir", p, err)
	}
	return err
}

// MkdirAll makes a directory and those above it that are missing.
func (v *Volume) MkdirAll(ctx context.Context, p string, mode uint32) error {
	p = path.Clean("/" + p)
	a, err := v.Stat(ctx, p)
	switch {
	case err == nil && a.IsDir():
		return nil
	case err == nil:
		return pathError("mkdir", p, ErrNotDir)
	case !errors.Is(err, ErrNotExist):
		return err
	}
	if err := v.MkdirAll(ctx, path.Dir(p), mode); err != nil {
		return err
	}
	if err := v.Mkdir(ctx, p, mode); !errors.Is(err, ErrExist) {
		return err
	}
	return nil
}

// Symlink makes a symlink with the given target.
func (v *Volume) Symlink(ctx context.Context, target, p string) error {
	dir, name, err := v.parentOf(ctx, "symlink", p)
	if err == nil {
		n := owned(ModeSymlink | 0o777)
		n.Target = target
		_, err = v.Create(ctx, dir, name, n)
		err = pathError("symlink", p, err)
	}
	return err
}
