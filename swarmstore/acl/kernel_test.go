package acl

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// aclDir returns a directory on a local filesystem whose ACLs the kernel keeps.
func aclDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Setxattr(dir, XattrDefault, FromMode(0o755).Encode(), 0)
	if errors.Is(err, unix.ENOTSUP) {
		t.Skip("the temporary directory is on a filesystem without ACLs")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Removexattr(dir, XattrDefault); err != nil {
		t.Fatal(err)
	}
	return dir
}

// kernelACL reads the ACL that the kernel keeps for a file, nil if none.
func kernelACL(t *rapid.T, path, name string) ACL {
	value := make([]byte, 4096)
	n, err := unix.Getxattr(path, name, value)
	if errors.Is(err, unix.ENODATA) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(value[:n])
	if err != nil {
		t.Fatalf("the kernel's own ACL: %v", err)
	}
	return a
}

func kernelMode(t *rapid.T, path string) uint32 {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Mode
}

// anyACL draws lists of entries of which many are valid and many nearly so.
func anyACL() *rapid.Generator[ACL] {
	tags := rapid.SampledFrom([]Tag{UserObj, User, GroupObj, Group, Mask, Other})
	ids := rapid.SampledFrom([]uint32{0, 1, 1000, 1<<31 - 1, 1<<32 - 2, UndefinedID})
	return rapid.Custom(func(t *rapid.T) ACL {
		drawn := rapid.SliceOfN(tags, 0, 4).Draw(t, "tags")
		if rapid.IntRange(0, 3).Draw(t, "plausible") > 0 {
			drawn = append(drawn, UserObj, GroupObj, Other)
			slices.Sort(drawn)
			drawn = slices.CompactFunc(drawn, func(x, y Tag) bool { return x == y && x != User && x != Group })
		}
		a := make(ACL, 0, len(drawn))
		for _, tag := range drawn {
			e := obj(tag, uint16(rapid.IntRange(0, 7).Draw(t, "perm")))
			if tag == User || tag == Group {
				e.ID = ids.Draw(t, "id")
			}
			a = append(a, e)
		}
		if len(a) > 0 && rapid.IntRange(0, 9).Draw(t, "odd permission") == 0 {
			a[0].Perm |= 8
		}
		return a
	})
}

func validACL() *rapid.Generator[ACL] {
	return anyACL().Filter(func(a ACL) bool { return a.Validate() == nil })
}

func TestKernelAcceptsWhatIsValid(t *testing.T) {
	path := filepath.Join(aclDir(t), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := anyACL().Filter(func(a ACL) bool { return len(a) > 0 }).Draw(t, "acl")
		err := unix.Setxattr(path, XattrAccess, a.Encode(), 0)
		if _, parseErr := Parse(a.Encode()); (parseErr == nil) != (err == nil) {
			t.Fatalf("kernel: %v, Parse: %v", err, parseErr)
		}
		if err != nil {
			return
		}
		perm, exact := a.EquivMode()
		if got := kernelMode(t, path) & modePerm; got != perm {
			t.Fatalf("kernel's mode %o, EquivMode %o", got, perm)
		}
		var want ACL
		if !exact {
			want = a
		}
		if got := kernelACL(t, path, XattrAccess); !slices.Equal(got, want) {
			t.Fatalf("kernel keeps %v, want %v", got, want)
		}
	})
}

func TestKernelChangesModesAlike(t *testing.T) {
	path := filepath.Join(aclDir(t), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a := validACL().Draw(t, "acl")
		mode := rapid.Uint32Range(0, modePerm).Draw(t, "mode")
		if err := unix.Setxattr(path, XattrAccess, a.Encode(), 0); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		want := a.Chmod(mode)
		if _, exact := want.EquivMode(); exact {
			want = nil
		}
		if got := kernelACL(t, path, XattrAccess); !slices.Equal(got, want) {
			t.Fatalf("kernel has %v, Chmod %v", got, want)
		}
	})
}

func TestKernelCreatesAlike(t *testing.T) {
	dir := aclDir(t)
	path := filepath.Join(dir, "new")
	rapid.Check(t, func(t *rapid.T) {
		a := validACL().Draw(t, "default acl")
		mode := rapid.Uint32Range(0, modePerm).Draw(t, "mode")
		if err := unix.Setxattr(dir, XattrDefault, a.Encode(), 0); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, mode)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Unlink(path)
		defer unix.Close(fd)
		access, newMode := a.Create(unix.S_IFREG | mode)
		if got := kernelMode(t, path); got != newMode {
			t.Fatalf("kernel's mode %o, Create %o", got, newMode)
		}
		if got := kernelACL(t, path, XattrAccess); !slices.Equal(got, access) {
			t.Fatalf("kernel has %v, Create %v", got, access)
		}
	})
}
