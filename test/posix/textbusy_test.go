package posix

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// checkTextBusy: a program that runs can be neither written nor truncated, and
// is not changed by the attempt.
func checkTextBusy(s *suite, t *testing.T) {
	f := s.fixture(t)
	program := filepath.Join(f.dir, "cat")
	copyProgram(t, "cat", program)
	cmd := exec.Command(program)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("running a program of the file system: %v", err)
	}
	// An echoed byte proves that it runs.
	if _, err := in.Write([]byte{'x'}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	before := f.lstat("cat")
	f.want(f.root.touch("cat", unix.O_WRONLY, 0), unix.ETXTBSY)
	f.want(f.root.touch("cat", unix.O_RDWR, 0), unix.ETXTBSY)
	f.want(f.root.touch("cat", unix.O_RDONLY|unix.O_TRUNC, 0), unix.ETXTBSY)
	f.want(f.root.truncate("cat", 123), unix.ETXTBSY)
	f.want(f.root.touch("cat", unix.O_RDONLY, 0))
	equal(f, "size", f.lstat("cat").Size, before.Size)
	equal(f, "mtime", f.lstat("cat").Mtim, before.Mtim)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	f.want(f.root.touch("cat", unix.O_WRONLY, 0))
}

func copyProgram(t *testing.T, name, to string) {
	t.Helper()
	from, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
}
