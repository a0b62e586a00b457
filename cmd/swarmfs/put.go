package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"swarmfs/swarmstore"
)

func (p *program) putCommand() *cli.Command {
	return &cli.Command{
		Name:      "put",
		Usage:     "copy local files into a volume",
		ArgsUsage: "SOURCE... DESTINATION",
		Description: "A file that is there already is replaced, at once when the new one is complete. Into a directory\n" +
			"if DESTINATION is one. A SOURCE of - is standard input. What was copied is durable on the local\n" +
			"disk when the command ends.",
		UsageText: examples(
			"swarmfs put cat.jpg /photos/",
			"swarmfs put -r ~/photos /",
			"tar -czf - . | swarmfs put - /backup.tar.gz",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"r", "R"}, Usage: "copy directories with all they hold"},
			&cli.BoolFlag{Name: "preserve", Aliases: []string{"p"}, Usage: "keep times and special mode bits and, for root, owners"},
			&cli.StringFlag{Name: "mode", Aliases: []string{"m"}, Usage: "octal `MODE` of new files", DefaultText: "that of the source, 644 for standard input"},
		},
		Action: p.put,
	}
}

// parallelFiles is how many files are copied at once: enough that the small ones share the waits
// for the disk.
const parallelFiles = 8

const defaultFileMode = 0o644

func (p *program) put(c *cli.Context) error {
	if c.NArg() < 2 {
		return usagef(c, "copy what to where?")
	}
	names := c.Args().Slice()
	sources, to := names[:len(names)-1], names[len(names)-1]
	u := &uploader{stdin: p.stdin, recursive: c.Bool("recursive"), preserve: c.Bool("preserve")}
	if c.IsSet("mode") {
		mode, err := parseMode(c)
		if err != nil {
			return err
		}
		u.mode = &mode
	}
	return p.withVolume(c, create, func(ctx context.Context, v *swarmstore.Volume) error {
		into, err := intoDirectory(ctx, v, to, len(sources) > 1)
		if err != nil {
			return fail("copy to", to, err)
		}
		u.v = v
		u.progress = p.newProgress("copying", u.total(ctx, sources), true)
		defer u.progress.finish()
		for _, source := range sources {
			target := clean(to)
			if into {
				target = path.Join(target, baseName(source))
			}
			u.put(ctx, source, target, into)
		}
		return u.result(ctx)
	})
}

// baseName is the last part of a local path; that of . is the directory's own name.
func baseName(source string) string {
	if abs, err := filepath.Abs(source); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(source)
}

type uploader struct {
	v                   *swarmstore.Volume
	stdin               io.Reader
	recursive, preserve bool
	mode                *uint32
	progress            *progress
	failed              atomic.Bool
}

// total sums the sizes of what is to be copied, for the progress bar alone.
func (u *uploader) total(ctx context.Context, sources []string) (sum int64) {
	for _, source := range sources {
		if source == "-" {
			return unknownTotal
		}
		_ = filepath.WalkDir(source, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || ctx.Err() != nil {
				return ctx.Err() // what cannot be read is reported when it is copied
			}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				sum += info.Size()
			}
			return nil
		})
	}
	return sum
}

func (u *uploader) complain(what, name string, err error) {
	u.failed.Store(true)
	u.progress.complain(fail(what, name, err))
}

func (u *uploader) result(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if u.failed.Load() {
		return exitStatus(exitFailed)
	}
	return nil
}

// put copies one source of the command line.
func (u *uploader) put(ctx context.Context, source, target string, into bool) {
	if source == "-" {
		u.putStdin(ctx, target, into)
		return
	}
	look := os.Stat
	if u.recursive {
		look = os.Lstat // a symlink is copied as such
	}
	info, err := look(source)
	switch {
	case err != nil:
		u.complain("copy", source, err)
	case info.IsDir() && !u.recursive:
		u.complain("copy", source, errors.New("it is a directory; copy it with all it holds by put -r"))
	case info.IsDir():
		u.putTree(ctx, source, target)
	default:
		u.putOne(ctx, source, target, info)
	}
}

func (u *uploader) putStdin(ctx context.Context, target string, into bool) {
	if into {
		u.complain("copy to", path.Dir(target), errors.New("standard input has no name; name the file to make of it"))
		return
	}
	mode := uint32(defaultFileMode)
	if u.mode != nil {
		mode = *u.mode
	}
	if _, err := u.v.Put(ctx, target, u.progress.reader(u.stdin), mode); err != nil && ctx.Err() == nil {
		u.complain("write", target, err)
	}
}

// putTree copies a directory: its directories one after the other, the files of several at once.
func (u *uploader) putTree(ctx context.Context, source, target string) {
	var files errgroup.Group
	files.SetLimit(parallelFiles)
	type dir struct {
		path string
		info fs.FileInfo
	}
	var dirs []dir
	err := filepath.WalkDir(source, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			u.complain("read", name, err)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			u.complain("read", name, err)
			return nil
		}
		below, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		to := path.Join(target, filepath.ToSlash(below))
		if d.IsDir() {
			if err := u.putDir(ctx, to, info); err != nil {
				u.complain("make directory", to, err)
				return fs.SkipDir
			}
			dirs = append(dirs, dir{to, info})
			return nil
		}
		files.Go(func() error { u.putOne(ctx, name, to, info); return nil })
		return nil
	})
	_ = files.Wait() // they report for themselves
	if err != nil && ctx.Err() == nil {
		u.complain("copy", source, err)
	}
	for i := len(dirs) - 1; i >= 0 && u.preserve && ctx.Err() == nil; i-- { // now nothing touches their times anymore
		if err := u.keepAttributes(ctx, dirs[i].path, dirs[i].info); err != nil {
			u.complain("set attributes of", dirs[i].path, err)
		}
	}
}

func (u *uploader) putDir(ctx context.Context, to string, info fs.FileInfo) error {
	err := u.v.Mkdir(ctx, to, uint32(info.Mode().Perm()))
	if !errors.Is(err, swarmstore.ErrExist) {
		return err
	}
	a, err := u.v.Stat(ctx, to)
	if err == nil && !a.IsDir() {
		err = swarmstore.ErrNotDir
	}
	return err
}

// putOne copies anything but a directory.
func (u *uploader) putOne(ctx context.Context, source, target string, info fs.FileInfo) {
	if ctx.Err() != nil {
		return
	}
	var err error
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		err = u.putSymlink(ctx, source, target)
	case info.Mode().IsRegular() || !u.recursive: // a pipe that was named is read like a file
		err = u.putFile(ctx, source, target, info)
	default:
		err = errors.New("neither a file, a directory nor a symlink; left out")
	}
	if err == nil && u.preserve {
		err = u.keepAttributes(ctx, target, info)
	}
	if err != nil && ctx.Err() == nil {
		u.complain("copy", source, err)
	}
}

func (u *uploader) putFile(ctx context.Context, source, target string, info fs.FileInfo) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	mode := uint32(info.Mode().Perm())
	if u.mode != nil {
		mode = *u.mode
	}
	a, err := u.v.Put(ctx, target, u.progress.reader(f), mode)
	if err == nil && u.mode != nil && a.Mode&permissionBits != mode { // a file that was replaced passes its mode on
		_, err = u.v.Setattr(ctx, a.Ino, swarmstore.SetAttr{Mode: &mode})
	}
	return err
}

// putSymlink makes the same symlink, in place of one that is there.
func (u *uploader) putSymlink(ctx context.Context, source, target string) error {
	leads, err := os.Readlink(source)
	if err != nil {
		return err
	}
	err = u.v.Symlink(ctx, leads, target)
	if !errors.Is(err, swarmstore.ErrExist) {
		return err
	}
	if a, lookErr := u.v.Lstat(ctx, target); lookErr != nil || !isSymlink(a) {
		return errors.Join(err, lookErr)
	}
	if err := u.v.Remove(ctx, target); err != nil {
		return err
	}
	return u.v.Symlink(ctx, leads, target)
}

// keepAttributes gives a node the attributes of its source.
func (u *uploader) keepAttributes(ctx context.Context, target string, info fs.FileInfo) error {
	a, err := u.v.Lstat(ctx, target)
	if err != nil {
		return err
	}
	mtime := info.ModTime()
	set := swarmstore.SetAttr{Mtime: &mtime}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		atime := time.Unix(st.Atim.Unix())
		set.Atime = &atime
		if os.Geteuid() == 0 {
			set.UID, set.GID = &st.Uid, &st.Gid
		}
		if u.mode == nil && !isSymlink(a) {
			mode := st.Mode & permissionBits
			set.Mode = &mode
		}
	}
	_, err = u.v.Setattr(ctx, a.Ino, set)
	return err
}
