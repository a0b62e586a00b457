package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shell runs command lines on a store of its own.
type shell struct {
	t     *testing.T
	store string
	stdin string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	for _, name := range []string{"SWARMFS_STORE", "SWARMFS_VOLUME", "SWARMFS_PASSWORD", "SWARMFS_PASSWORD_FILE", "SWARMFS_LOG_LEVEL"} {
		t.Setenv(name, "") // also restores what the person who runs the test has set
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	return &shell{t: t, store: filepath.Join(t.TempDir(), "store")}
}

// try runs a command line and returns what it printed and its exit status.
func (s *shell) try(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	var out, errOut bytes.Buffer
	p := program{stdin: strings.NewReader(s.stdin), stdout: &out, stderr: &errOut}
	status = p.run(context.Background(), append([]string{"swarmfs", "--store", s.store}, args...))
	return out.String(), errOut.String(), status
}

// run runs a command line that must succeed.
func (s *shell) run(args ...string) string {
	s.t.Helper()
	stdout, stderr, status := s.try(args...)
	if status != exitDone {
		s.t.Fatalf("swarmfs %s: exit status %d, %s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// fails runs a command line that must fail with this status and say this much about it.
func (s *shell) fails(status int, says string, args ...string) {
	s.t.Helper()
	_, stderr, got := s.try(args...)
	if got != status || !strings.Contains(stderr, says) {
		s.t.Errorf("swarmfs %s: exit status %d, %q; want %d and %q", strings.Join(args, " "), got, stderr, status, says)
	}
}

func (s *shell) local(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func TestFilesWithoutAMount(t *testing.T) {
	s := newShell(t)
	s.run("mkdir", "-p", "/docs/old")
	s.run("put", s.local("a.txt", "alpha"), "/docs")
	s.stdin = "from a pipe"
	s.run("put", "-", "/docs/b.txt", "-m", "600")
	if got := s.run("cat", "/docs/a.txt", "docs/b.txt"); got != "alphafrom a pipe" {
		t.Errorf("cat printed %q", got)
	}
	if got := s.run("ls", "/docs"); got != "a.txt\nb.txt\nold\n" {
		t.Errorf("ls printed %q", got)
	}
	s.run("mv", "/docs/a.txt", "/docs/old")
	s.run("mv", "/docs/b.txt", "/docs/c.txt")
	if got := s.run("ls", "-R"); got != "/:\ndocs\n\n/docs:\nc.txt\nold\n\n/docs/old:\na.txt\n" {
		t.Errorf("ls -R printed %q", got)
	}
	s.run("rm", "/docs/c.txt")
	s.fails(exitFailed, "rm -r", "rm", "/docs")
	s.run("rm", "-rf", "/docs", "/none")
	if got := s.run("ls", "-a"); got != "" {
		t.Errorf("ls printed %q", got)
	}
}

func TestErrorsSayWhatWhereAndWhy(t *testing.T) {
	s := newShell(t)
	s.fails(exitFailed, "swarmfs: open store "+s.store+": there is no store", "ls")
	s.run("mkdir", "/d")
	s.run("put", s.local("f", "x"), "/f")
	s.fails(exitFailed, "swarmfs: list /none: no such file or directory\n", "ls", "/none")
	s.fails(exitFailed, "swarmfs: read /d: is a directory\n", "cat", "/d")
	s.fails(exitFailed, "swarmfs: read /f/x: not a directory\n", "cat", "/f/x")
	s.fails(exitFailed, "swarmfs: make directory /d: file exists\n", "mkdir", "/d")
	s.fails(exitFailed, "swarmfs: open volume none: no such volume; swarmfs volume list", "--volume", "none", "ls")
	s.fails(exitFailed, "swarmfs: copy /none/x: no such file or directory\n", "put", "/none/x", "/x")
	s.fails(exitFailed, "put -r", "put", t.TempDir(), "/x")
	s.fails(exitFailed, "swarmfs: copy to /none/: no such file or directory\n", "put", s.local("f", ""), "/none/")
	s.fails(exitFailed, "whole volume", "rm", "-r", "/")
	s.fails(exitUsage, "which files?", "cat")
	s.fails(exitUsage, "no option --nonsense", "ls", "--nonsense")
	s.fails(exitUsage, `no command "lss"; did you mean "ls"?`, "lss")
	s.fails(exitUsage, "octal", "mkdir", "--mode", "9", "/x")
	s.fails(exitUsage, "--log-level", "--log-level", "loud", "ls")
	// One failure does not keep a command from the rest of its work.
	stdout, _, status := s.try("cat", "/none", "/f")
	if stdout != "x" || status != exitFailed {
		t.Errorf("cat printed %q with status %d", stdout, status)
	}
}

func TestTreesAreCopiedInAndOut(t *testing.T) {
	s := newShell(t)
	source := filepath.Join(t.TempDir(), "tree")
	for _, dir := range []string{"sub/deep", "empty"} {
		if err := os.MkdirAll(filepath.Join(source, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	large := strings.Repeat("0123456789abcdef", 100_000) // several blocks
	files := map[string]string{"a": "alpha", "sub/b": "beta", "sub/deep/large": large, "sub/zero": ""}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(source, name), []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("sub/b", filepath.Join(source, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(source, "dangling")); err != nil {
		t.Fatal(err)
	}

	s.run("put", "-rp", source, "/")
	s.run("put", "-rp", source, "/") // once more over what is there
	target := t.TempDir()
	s.run("get", "-rp", "/tree", target)
	for name, content := range files {
		got, err := os.ReadFile(filepath.Join(target, "tree", name))
		if err != nil || string(got) != content {
			t.Errorf("%s came back with %d bytes, %v; want %d", name, len(got), err, len(content))
		}
		want, _ := os.Stat(filepath.Join(source, name))
		have, err := os.Stat(filepath.Join(target, "tree", name))
		if err != nil || have.Mode() != want.Mode() || !have.ModTime().Equal(want.ModTime()) {
			t.Errorf("%s came back as %v, %v; want %v", name, have, err, want)
		}
	}
	for link, leads := range map[string]string{"link": "sub/b", "dangling": "/nowhere"} {
		if got, err := os.Readlink(filepath.Join(target, "tree", link)); err != nil || got != leads {
			t.Errorf("%s leads to %q, %v; want %q", link, got, err, leads)
		}
	}
	if _, err := os.Stat(filepath.Join(target, "tree", "empty")); err != nil {
		t.Error(err)
	}
	s.run("get", "-r", "/", filepath.Join(target, "whole"))
	if got, err := os.ReadFile(filepath.Join(target, "whole", "tree", "a")); err != nil || string(got) != "alpha" {
		t.Errorf("the whole volume came back with %q, %v", got, err)
	}
}

// Symlinks that lie in the way of a copy must not lead it out of its target.
func TestGetStaysInItsTarget(t *testing.T) {
	s := newShell(t)
	s.run("mkdir", "-p", "/tree/sub")
	s.run("put", s.local("f", "stranger"), "/tree/sub/f")
	target, outside := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(target, "tree"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(target, "tree", "sub")); err != nil {
		t.Fatal(err)
	}
	if _, _, status := s.try("get", "-r", "/tree", target); status != exitFailed {
		t.Errorf("exit status %d, want %d", status, exitFailed)
	}
	if files, err := os.ReadDir(outside); err != nil || len(files) > 0 {
		t.Errorf("outside the target there are now %v, %v", files, err)
	}
}

func TestJSONOutput(t *testing.T) {
	s := newShell(t)
	s.run("mkdir", "/d")
	s.run("put", s.local("f", "content"), "/d/f")
	for _, args := range [][]string{{"ls", "-R", "--json"}, {"stat", "/d", "/d/f", "--json"}} {
		var entries []entry
		if err := json.Unmarshal([]byte(s.run(args...)), &entries); err != nil {
			t.Fatal(err)
		}
		if len(entries) != 2 {
			t.Fatalf("%s shows %d entries", args[0], len(entries))
		}
		dir, file := entries[0], entries[1]
		if dir.Path != "/d" || dir.Type != "directory" || dir.Mode != "0755" || dir.Reference != "" {
			t.Errorf("%s shows the directory as %+v", args[0], dir)
		}
		if file.Path != "/d/f" || file.Name != "f" || file.Type != "file" || file.Size != 7 || file.Mode != "0640" || len(file.Reference) != 64 {
			t.Errorf("%s shows the file as %+v", args[0], file)
		}
	}
	if got := s.run("ls", "--json", "--volume", "default", "/d/f"); !strings.HasPrefix(got, "[\n") {
		t.Errorf("ls of a file printed %q", got)
	}
	s.run("mkdir", "/empty")
	if got := s.run("ls", "--json", "/empty"); got != "[]\n" {
		t.Errorf("ls of nothing printed %q", got)
	}
}

func TestVolumes(t *testing.T) {
	s := newShell(t)
	s.run("volume", "create", "photos")
	s.run("volume", "create", "--key", "alice", "work")
	s.fails(exitFailed, "create volume work: volume exists", "volume", "create", "work")
	s.fails(exitUsage, "one volume", "volume", "create")
	s.run("--volume", "photos", "put", s.local("f", "x"), "/f")

	var volumes []volumeEntry
	if err := json.Unmarshal([]byte(s.run("volume", "list", "--json")), &volumes); err != nil {
		t.Fatal(err)
	}
	if len(volumes) != 2 || volumes[0].Name != "photos" || volumes[0].Key != "default" || volumes[0].Bytes != 1 ||
		volumes[1].Name != "work" || volumes[1].Key != "alice" || volumes[0].Owner == volumes[1].Owner {
		t.Errorf("volume list shows %+v", volumes)
	}
	if got := s.run("key", "show", "alice"); got != volumes[1].Owner+"\n" {
		t.Errorf("key show printed %q, the owner is %s", got, volumes[1].Owner)
	}
	s.fails(exitFailed, "--force", "volume", "remove", "photos")
	s.run("volume", "remove", "photos", "-f")
	s.run("volume", "remove", "work")
	s.fails(exitFailed, "no such volume", "volume", "remove", "work")
	if got := s.run("volume", "list", "--json"); got != "[]\n" {
		t.Errorf("volume list printed %q", got)
	}
}

func TestKeys(t *testing.T) {
	s := newShell(t)
	created := s.run("key", "create", "alice")
	if got := s.run("key", "show", "alice"); got != created {
		t.Errorf("key show printed %q, create %q", got, created)
	}
	s.fails(exitFailed, "key exists", "key", "create", "alice")
	s.fails(exitFailed, "no such key", "key", "show", "bob")
	exported := s.run("key", "export", "alice")

	other := newShell(t)
	password := filepath.Join(s.store, "keys", "password")
	other.stdin = exported
	if got := other.run("key", "import", "--file-password-file", password, "bob"); got != created {
		t.Errorf("key import printed %q, want %q", got, created)
	}
	other.fails(exitFailed, "never overwritten", "key", "import", "bob", "--file-password-file", password)
	wrong := s.local("wrong", "nonsense")
	other.fails(exitFailed, "wrong password", "key", "import", "carol", "-", "--file-password-file", wrong)
	const secret = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
	if got := other.run("key", "import", "dave", s.local("hex", secret+"\n")); got != "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b\n" {
		t.Errorf("key import printed %q", got)
	}
	if got := other.run("key", "list"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "bob") {
		t.Errorf("key list printed %q", got)
	}
}

func TestPasswordSources(t *testing.T) {
	s := newShell(t)
	file := s.local("password", "from a file\n")
	s.run("key", "create", "a", "--password-file", file)
	if exists(filepath.Join(s.store, "keys", "password")) {
		t.Error("a password file was made although one was named")
	}
	t.Setenv("SWARMFS_PASSWORD", "from the environment")
	s.run("key", "create", "b")
	for key, password := range map[string]string{"a": "from a file", "b": "from the environment"} {
		other := newShell(t)
		other.stdin = s.run("key", "export", key)
		other.run("key", "import", key, "--file-password-file", s.local("p", password))
	}
}
