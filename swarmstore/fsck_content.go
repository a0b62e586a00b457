package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/objects"
	"swarmfs/swarmstore/staging"
)

// verifyObjects reads and hashes every block that is a file.
func (f *fsck) verifyObjects(ctx context.Context) error {
	var total, done int64
	for _, o := range f.objects {
		if o.Kind == meta.KindBlockFile {
			total += o.Size
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for ref, o := range f.objects {
		if o.Kind != meta.KindBlockFile {
			continue
		}
		group.Go(func() error {
			what, err := f.verifyBlock(ctx, ref, o.Size)
			mu.Lock()
			defer mu.Unlock()
			if what != "" {
				f.damaged[ref] = what
			}
			done += o.Size
			f.report.Blocks++
			f.report.Bytes += o.Size
			if f.o.Progress != nil {
				f.o.Progress(done, total)
			}
			return err
		})
	}
	return group.Wait()
}

// verifyBlock returns what is wrong with a block, "" if nothing is.
func (f *fsck) verifyBlock(ctx context.Context, ref content.Reference, length int64) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	buffer := blockBuffers.Get().(*[content.BlockSize]byte)
	defer blockBuffers.Put(buffer)
	data := buffer[:length]
	f.s.blocks.Forget(ref)
	err := f.s.objects.ReadBlock(ctx, ref, length, data, 0)
	switch {
	case errors.Is(err, objects.ErrMissing):
		return f.missing(ctx, ref)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "its file is too short", nil
	case err != nil:
		return fmt.Sprintf("its file cannot be read: %v", err), nil
	case !f.s.hasher.Verify(ref, data):
		return "its bytes on the disk are not those of its reference", nil
	}
	return "", nil
}

// missing tells of a block without a file, unless it was collected since the database was read.
func (f *fsck) missing(ctx context.Context, ref content.Reference) (string, error) {
	listed := false
	err := f.s.view(ctx, func(tx *meta.Tx) (err error) { listed, err = tx.HasObject(ref[:]); return err })
	if err != nil || !listed {
		return "", err
	}
	return "its file is missing", nil
}

// checkContents follows the content of every file down to its blocks.
func (f *fsck) checkContents() {
	for ino, n := range f.nodes {
		if n.Mode&ModeType != ModeRegular || n.Span == 0 {
			continue
		}
		tree := baseOf(n, 0).tree
		if !f.s.objects.IsHole(tree.Root, tree.Size) {
			f.refs[tree.Root]++
		}
		f.checkTree(ino, tree)
	}
}

// checkTree reports the damaged and missing objects below a file, the first few of them by name.
func (f *fsck) checkTree(ino int64, tree content.Tree) {
	const most = 10
	bad := 0
	var visit func(c content.Child, off int64)
	visit = func(c content.Child, off int64) {
		if f.s.objects.IsHole(c.Ref, c.Span) {
			return
		}
		o, ok := f.objects[c.Ref]
		what, damaged := f.damaged[c.Ref]
		if !ok {
			what, damaged = "it is not in the database", true
		}
		if damaged {
			if bad++; bad <= most {
				f.problem(ino, fmt.Sprintf("bytes %d to %d are lost: block %s: %s", off, off+c.Span, c.Ref, what), nil)
			}
			return
		}
		if o.Kind != meta.KindNode {
			return
		}
		children, err := f.children(c.Ref)
		if err != nil {
			f.problem(ino, fmt.Sprintf("bytes %d to %d are lost: chunk %s: %v", off, off+c.Span, c.Ref, err), nil)
			return
		}
		for _, child := range children {
			visit(child, off)
			off += child.Span
		}
	}
	visit(content.Child{Ref: tree.Root, Span: tree.Size, Block: tree.Size <= content.BlockSize}, 0)
	if bad > most {
		f.problem(ino, fmt.Sprintf("%d more blocks are lost", bad-most), nil)
	}
}

func (f *fsck) children(ref content.Reference) ([]content.Child, error) {
	data, err := f.s.objects.Chunk(context.Background(), ref)
	if err != nil {
		return nil, err
	}
	return content.Children(data)
}

// checkRefs compares the reference counts with those counted.
func (f *fsck) checkRefs() {
	for ref, o := range f.objects {
		if want := f.refs[ref]; want != o.Refs {
			f.problem(0, fmt.Sprintf("object %s is named %d times, but says %d", ref, want, o.Refs),
				func(tx *meta.Tx) error { return tx.SetRefs(ref[:], want) })
		}
	}
}

// checkStaged looks for the files of recorded pieces, unless the database keeps their bytes.
func (f *fsck) checkStaged(ctx context.Context) error {
	return f.s.scan(ctx, func(tx *meta.Tx) error {
		return tx.AllStaged(func(session, ino int64, p meta.StagedPiece) error {
			dir := filepath.Join(f.s.dir, "staging", fmt.Sprint(session))
			name := staging.Name(staging.PieceID{Ino: ino, Block: p.Block, Gen: p.Gen})
			_, statErr := os.Stat(filepath.Join(dir, name))
			if statErr == nil {
				return nil
			}
			kept := false
			err := tx.Journal(session, ino, p.Block, p.Gen, func(int64, []byte) error { kept = true; return nil })
			if err == nil && !kept {
				f.problem(ino, fmt.Sprintf("staged bytes of block %d are lost: %v", p.Block, statErr),
					func(tx *meta.Tx) error { return tx.DeleteStaged(session, ino, p.Block, p.Gen) })
			}
			return err
		})
	})
}

// checkStrayFiles looks for block files that the database does not list: a crash leaves them, and they only
// cost room.
func (f *fsck) checkStrayFiles(ctx context.Context) error {
	stray, err := f.s.objects.Stray(ctx, f.o.Repair)
	if err != nil {
		return err
	}
	for _, name := range stray {
		f.report.Problems = append(f.report.Problems, FsckProblem{What: "nothing accounts for " + name, Harmless: true, Repaired: f.o.Repair})
	}
	return nil
}

// runPath verifies the content of the files at and below a path.
func (f *fsck) runPath(ctx context.Context) error {
	v, err := f.s.OpenVolume(ctx, f.o.Volume)
	if err != nil {
		return err
	}
	return v.Walk(ctx, f.o.Path, func(p string, a Attr) error {
		f.report.Nodes++
		if !a.IsRegular() {
			return nil
		}
		f.nodes[int64(a.Ino)] = meta.Node{Ino: int64(a.Ino), Volume: v.row.ID}
		f.volumes[v.row.ID] = v.row
		f.paths[int64(a.Ino)] = p
		return f.verifyFile(ctx, v, p, a)
	})
}

// verifyFile hashes the sealed blocks of one file.
func (f *fsck) verifyFile(ctx context.Context, v *Volume, p string, a Attr) error {
	var tree content.Tree
	err := f.s.view(ctx, func(tx *meta.Tx) error {
		n, err := v.node(tx, a.Ino)
		tree = baseOf(n, 0).tree
		return err
	})
	if err != nil {
		return err
	}
	err = content.Blocks(ctx, f.s.objects, tree, 0, content.BlockCount(tree.Size)-1, func(index int64, ref content.Reference) error {
		length := content.BlockLen(tree.Size, index)
		what, err := f.verifyBlock(ctx, ref, length)
		if what != "" {
			off := index * content.BlockSize
			f.problem(int64(a.Ino), fmt.Sprintf("bytes %d to %d are lost: block %s: %s", off, off+length, ref, what), nil)
		}
		f.report.Blocks++
		f.report.Bytes += length
		return err
	})
	if errors.Is(err, objects.ErrMissing) || errors.Is(err, content.ErrMalformed) {
		f.problem(int64(a.Ino), fmt.Sprintf("its tree is damaged: %v", err), nil)
		return nil
	}
	return err
}
