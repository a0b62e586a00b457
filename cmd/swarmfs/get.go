package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) getCommand() *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "copy files of a volume to the local disk",
		ArgsUsage: "SOURCE... [DESTINATION]",
		Description: "Into the working directory if there is but one argument, and into DESTINATION if that is a\n" +
			"directory. A local file that is there already is replaced, at once when the new one is complete.\n" +
			"A DESTINATION of - is standard output.",
		UsageText: examples(
			"swarmfs get /photos/cat.jpg",
			"swarmfs get -r /photos ~/restored",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"r", "R"}, Usage: "copy directories with all they hold"},
			&cli.BoolFlag{Name: "preserve", Aliases: []string{"p"}, Usage: "keep times and special mode bits and, for root, owners"},
		},
		Action: p.get,
	}
}

func (p *program) get(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef(c, "copy what?")
	}
	sources, to := c.Args().Slice(), "."
	if len(sources) > 1 {
		sources, to = sources[:len(sources)-1], sources[len(sources)-1]
	}
	if to == "-" {
		return p.getToStdout(c, sources)
	}
	into, err := intoLocalDirectory(to, len(sources) > 1)
	if err != nil {
		return fail("copy to", to, err)
	}
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		d := &downloader{v: v, recursive: c.Bool("recursive"), preserve: c.Bool("preserve")}
		d.progress = p.newProgress("copying", d.total(ctx, sources, isTerminal(p.stderr)), true)
		defer d.progress.finish()
		for _, source := range sources {
			target := to
			if into {
				target = filepath.Join(to, path.Base(clean(source)))
			}
			if err := d.get(ctx, clean(source), target); err != nil {
				d.complain("copy", source, err)
			}
		}
		if d.failed && ctx.Err() == nil {
			return exitStatus(exitFailed)
		}
		return ctx.Err()
	})
}

func (p *program) getToStdout(c *cli.Context, sources []string) error {
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		for _, source := range sources {
			if err := copyOut(ctx, v, clean(source), p.stdout); err != nil {
				return fail("read", source, err)
			}
		}
		return nil
	})
}

// intoLocalDirectory is intoDirectory for the local disk.
func intoLocalDirectory(to string, several bool) (bool, error) {
	info, err := os.Stat(to)
	must := several || strings.HasSuffix(to, "/")
	switch {
	case err == nil && info.IsDir():
		return true, nil
	case err == nil && must:
		return false, errors.New("not a directory")
	case errors.Is(err, fs.ErrNotExist) && !must:
		return false, nil
	}
	return false, err
}

type downloader struct {
	v                   *swarmstore.Volume
	recursive, preserve bool
	progress            *progress
	failed              bool
}

func (d *downloader) complain(what, name string, err error) {
	d.failed = true
	d.progress.complain(fail(what, name, err))
}

// total sums the sizes of what is to be copied, if somebody wants to know.
func (d *downloader) total(ctx context.Context, sources []string, wanted bool) (sum int64) {
	for _, source := range sources {
		if !wanted {
			break
		}
		_ = d.v.Walk(ctx, clean(source), func(_ string, a swarmstore.Attr) error { // errors come again when it is copied
			if a.IsRegular() {
				sum += a.Size
			}
			return nil
		})
	}
	return sum
}

// get copies one source of the command line. Everything local happens below the directory that
// the target is in: symlinks of the volume, which may come from strangers, do not lead out of it.
func (d *downloader) get(ctx context.Context, source, target string) error {
	look := d.v.Stat
	if d.recursive {
		look = d.v.Lstat // a symlink is copied as such
	}
	a, err := look(ctx, source)
	if err != nil {
		return err
	}
	if a.IsDir() && !d.recursive {
		return errors.New("it is a directory; copy it with all it holds by get -r")
	}
	if source == "/" { // it has no name of its own
		if err := os.MkdirAll(target, 0o777); err != nil {
			return err
		}
	}
	root, name, err := openTarget(target)
	if err != nil {
		return err
	}
	defer root.Close()
	if !a.IsDir() {
		return d.one(ctx, root, source, name, a)
	}
	return d.tree(ctx, root, source, name)
}

// openTarget opens the directory that a target is in, and tells its name there.
func openTarget(target string) (*os.Root, string, error) {
	name := filepath.Base(target)
	if name == "." || name == ".." || name == "/" { // the target is a directory as it stands
		root, err := os.OpenRoot(target)
		return root, ".", err
	}
	root, err := os.OpenRoot(filepath.Dir(filepath.Clean(target)))
	return root, name, err
}

func (d *downloader) tree(ctx context.Context, root *os.Root, source, target string) error {
	type dir struct {
		name string
		attr swarmstore.Attr
	}
	var dirs []dir
	err := d.v.Walk(ctx, source, func(name string, a swarmstore.Attr) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := path.Join(target, strings.TrimPrefix(strings.TrimPrefix(clean(name), strings.TrimSuffix(source, "/")), "/"))
		if !a.IsDir() {
			if err := d.one(ctx, root, name, to, a); err != nil && ctx.Err() == nil {
				d.complain("copy", name, err)
			}
			return nil
		}
		if err := root.MkdirAll(to, 0o777); err != nil {
			d.complain("make directory", to, err)
			return fs.SkipDir
		}
		dirs = append(dirs, dir{to, a})
		return nil
	})
	for i := len(dirs) - 1; i >= 0 && err == nil; i-- { // modes last: some directories may not be written to
		if err := d.setAttributes(root, dirs[i].name, dirs[i].attr); err != nil {
			d.complain("set attributes of", dirs[i].name, err)
		}
	}
	return err
}

// one copies anything but a directory.
func (d *downloader) one(ctx context.Context, root *os.Root, source, target string, a swarmstore.Attr) error {
	switch {
	case isSymlink(a):
		return d.symlink(ctx, root, target, a)
	case a.IsRegular():
		return d.file(ctx, root, source, target, a)
	}
	return errors.New("neither a file, a directory nor a symlink; left out")
}

func (d *downloader) symlink(ctx context.Context, root *os.Root, target string, a swarmstore.Attr) error {
	leads, err := d.v.Readlink(ctx, a.Ino)
	if err != nil {
		return err
	}
	scratch := scratchName(target)
	if err := root.Symlink(leads, scratch); err != nil {
		return err
	}
	return d.replace(root, scratch, target)
}

func (d *downloader) file(ctx context.Context, root *os.Root, source, target string, a swarmstore.Attr) error {
	if info, err := root.Stat(target); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		f, err := root.OpenFile(target, os.O_WRONLY, 0) // a pipe or device is written to, not replaced
		if err != nil {
			return err
		}
		return errors.Join(copyOut(ctx, d.v, source, d.progress.writer(f)), f.Close())
	}
	scratch := scratchName(target)
	f, err := root.OpenFile(scratch, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(copyOut(ctx, d.v, source, d.progress.writer(f)), f.Close())
	if err == nil {
		err = d.setAttributes(root, scratch, a)
	}
	if err != nil {
		return errors.Join(err, root.Remove(scratch))
	}
	return d.replace(root, scratch, target)
}

// replace gives what is complete its name.
func (d *downloader) replace(root *os.Root, scratch, target string) error {
	if err := root.Rename(scratch, target); err != nil {
		return errors.Join(err, root.Remove(scratch))
	}
	return nil
}

func scratchName(target string) string {
	return path.Join(path.Dir(target), ".swarmfs-get-"+rand.Text())
}

// setAttributes gives a local file or directory the permissions of its source and, to preserve
// them, the rest.
func (d *downloader) setAttributes(root *os.Root, name string, a swarmstore.Attr) error {
	if !d.preserve {
		return root.Chmod(name, fs.FileMode(a.Mode&0o777))
	}
	if os.Geteuid() == 0 { // before the mode: a change of owner takes setuid away
		if err := root.Chown(name, int(a.UID), int(a.GID)); err != nil {
			return err
		}
	}
	if err := root.Chmod(name, goMode(a.Mode)); err != nil {
		return err
	}
	return root.Chtimes(name, a.Atime, a.Mtime)
}

// goMode translates the permission bits of stat(2).
func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	for bit, flag := range map[uint32]fs.FileMode{
		swarmstore.ModeSetuid: fs.ModeSetuid, swarmstore.ModeSetgid: fs.ModeSetgid, swarmstore.ModeSticky: fs.ModeSticky,
	} {
		if mode&bit != 0 {
			m |= flag
		}
	}
	return m
}
