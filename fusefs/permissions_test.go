package fusefs

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"swarmfs/test/harness"
)

// as returns a command that runs in a shell as an unprivileged user.
func as(uid uint32, script string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

func TestWritingClearsSetuid(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	for name, change := range map[string]string{
		"Append":   "echo x >> file",
		"Truncate": ": > file",
		"Middle":   "printf x | dd of=file conv=notrunc bs=1 seek=1 2>/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			dir := subdir(t, dir, name)
			write(t, dir+"/file", "content")
			if err := os.Chmod(dir+"/file", 0o777|os.ModeSetuid|os.ModeSetgid); err != nil {
				t.Fatal(err)
			}
			cmd := as(1234, change)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if st := stat(t, dir+"/file"); st.Mode&0o7777 != 0o777 {
				t.Errorf("got mode %o, want 777", st.Mode&0o7777)
			}
		})
	}
}

func TestChownClearsSetuid(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	write(t, dir+"/file", "content")
	if err := os.Chmod(dir+"/file", 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir+"/file", 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, dir+"/file"); st.Mode&0o7777 != 0o755 || st.Uid != 1234 {
		t.Errorf("got mode %o uid %d, want 755 1234", st.Mode&0o7777, st.Uid)
	}
}

func TestSetuidProgramChangesUser(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	id := harness.RequireProgram(t, "id", "coreutils")
	program, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/id", program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir+"/id", 4321, 4321); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/id", 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	out, err := as(1234, dir+"/id -u").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "4321" {
		t.Errorf("got %q, %v, want 4321", out, err)
	}
}

func TestPermissions(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	write(t, dir+"/secret", "x")
	if err := os.Chmod(dir+"/secret", 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := as(1234, "cat "+dir+"/secret").CombinedOutput(); err == nil {
		t.Errorf("read somebody else's file: %q", out)
	}
}

func TestStickyDirectory(t *testing.T) {
	harness.RequireRoot(t)
	dir := subdir(t, newMount(t), "tmp")
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if out, err := as(1001, "umask 0; echo mine > "+dir+"/file").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := as(1002, "rm -f "+dir+"/file").Run(); err == nil {
		t.Error("somebody else removed the file")
	}
	if err := as(1002, "mv "+dir+"/file "+dir+"/other").Run(); err == nil {
		t.Error("somebody else renamed the file")
	}
	if out, err := as(1001, "rm "+dir+"/file").CombinedOutput(); err != nil {
		t.Errorf("the owner could not remove the file: %s", out)
	}
}

func TestSetgidDirectoryGivesItsGroup(t *testing.T) {
	harness.RequireRoot(t)
	dir := subdir(t, newMount(t), "team")
	if err := os.Chown(dir, 0, 777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if out, err := as(1001, "umask 022; mkdir "+dir+"/sub; echo > "+dir+"/file").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if st := stat(t, dir+"/file"); st.Gid != 777 || st.Mode&0o7777 != 0o644 {
		t.Errorf("file: got group %d mode %o", st.Gid, st.Mode&0o7777)
	}
	if st := stat(t, dir+"/sub"); st.Gid != 777 || st.Mode&0o7777 != 0o2755 {
		t.Errorf("directory: got group %d mode %o", st.Gid, st.Mode&0o7777)
	}
}
