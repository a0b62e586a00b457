package tools

import (
	"os"
	"path/filepath"
	"testing"

	"swarmfs/test/harness"

	"golang.org/x/sys/unix"
)

func TestTar(t *testing.T) {
	harness.RequireProgram(t, "tar", "tar")
	src, fs := goSource(t), mount(t)
	archive := filepath.Join(fs.Dir, "archive.tar")
	run(t, "", "tar", "-cf", archive, "-C", src, ".")
	out := filepath.Join(fs.Dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "", "tar", "-xpf", archive, "-C", out)
	sameTree(t, src, out)
	run(t, "", "tar", "-df", archive, "-C", out)

	fs.Remount(t)
	sameTree(t, src, out)
	run(t, "", "tar", "-df", archive, "-C", out)
}

// rsync copies everything that a file can have; a second run finds nothing to do.
func TestRsync(t *testing.T) {
	harness.RequireProgram(t, "rsync", "rsync")
	harness.RequireProgram(t, "setfacl", "acl")
	src, fs := oddFiles(t), mount(t)
	rsync := []string{"rsync", "-aHAXi", "--numeric-ids"}
	to := filepath.Join(fs.Dir, "copy")
	run(t, "", append(rsync, src+"/", to)...)
	sameTree(t, src, to)
	for _, again := range []string{"--times", "--checksum"} {
		if out := run(t, "", append(rsync, again, src+"/", to)...); out != "" {
			t.Errorf("rsync %s transfers again:\n%s", again, out)
		}
	}
	fs.Remount(t)
	if out := run(t, "", append(rsync, "--checksum", "--delete", src+"/", to)...); out != "" {
		t.Errorf("rsync transfers again after a new mount:\n%s", out)
	}
	// And back: what the mount shows can be restored.
	back := filepath.Join(t.TempDir(), "back")
	run(t, "", append(rsync, to+"/", back)...)
	if out := run(t, "", append(rsync, "--checksum", "--delete", "-n", src+"/", back)...); out != "" {
		t.Errorf("what came back differs:\n%s", out)
	}
}

// oddFiles makes a local directory with a file of each kind.
func oddFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.CopyFS(path("tree"), os.DirFS(filepath.Join(goSource(t), scaled("http", "net")))))
	check(os.WriteFile(path("sparse"), []byte("head"), 0o640))
	check(os.Truncate(path("sparse"), 3<<20))
	check(os.Link(path("sparse"), path("hard link")))
	check(os.Symlink("sparse", path("symlink")))
	check(os.Symlink("nowhere", path("dangling")))
	check(unix.Mkfifo(path("fifo"), 0o600))
	check(unix.Mknod(path("device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
	check(os.WriteFile(path("setuid"), []byte("x"), 0o755))
	check(os.Chown(path("setuid"), 1234, 5678))
	check(os.Chmod(path("setuid"), 0o755|os.ModeSetuid|os.ModeSetgid))
	check(os.Mkdir(path("sticky"), 0o755))
	check(os.Chmod(path("sticky"), 0o777|os.ModeSticky))
	check(os.WriteFile(path("naïve \\ name\n"), nil, 0o444))
	check(unix.Setxattr(path("setuid"), "user.note", []byte("a value\x00with a zero"), 0))
	check(unix.Setxattr(path("tree"), "trusted.note", []byte("t"), 0))
	run(t, "", "setfacl", "-m", "u:1234:rw,g:5678:r", path("sparse"))
	run(t, "", "setfacl", "-d", "-m", "u:1234:rwx", path("sticky"))
	return dir
}
