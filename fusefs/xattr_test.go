package fusefs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
	"swarmfs/test/harness"
)

func TestXattrLimits(t *testing.T) {
	file := newMount(t) + "/file"
	write(t, file, "x")
	largest := bytes.Repeat([]byte("v"), swarmstore.MaxXattrValue)
	longest := "user." + string(bytes.Repeat([]byte("n"), 250))
	if err := unix.Setxattr(file, longest, largest, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(largest))
	if n, err := unix.Getxattr(file, longest, got); err != nil || !bytes.Equal(got[:n], largest) {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if n, err := unix.Getxattr(file, longest, nil); err != nil || n != len(largest) {
		t.Errorf("size: got %d, %v, want %d", n, err, len(largest))
	}
	_, err := unix.Getxattr(file, longest, got[:10])
	wantErr(t, "small buffer", err, unix.ERANGE)
	wantErr(t, "create again", unix.Setxattr(file, longest, nil, unix.XATTR_CREATE), unix.EEXIST)
	wantErr(t, "replace nothing", unix.Setxattr(file, "user.none", nil, unix.XATTR_REPLACE), unix.ENODATA)
	wantErr(t, "too large", unix.Setxattr(file, "user.large", append(largest, 'v'), 0), unix.E2BIG)
}

// TestXattrAppears sets an attribute on a node that was known to have none.
func TestXattrAppears(t *testing.T) {
	file := newMount(t) + "/file"
	write(t, file, "x")
	_, err := unix.Getxattr(file, "user.note", nil)
	wantErr(t, "before", err, unix.ENODATA)
	if err := unix.Setxattr(file, "user.note", []byte("here"), 0); err != nil {
		t.Fatal(err)
	}
	stat(t, file)
	got := make([]byte, 10)
	if n, err := unix.Getxattr(file, "user.note", got); err != nil || string(got[:n]) != "here" {
		t.Errorf("after: got %q, %v", got[:max(n, 0)], err)
	}
	if n, err := unix.Listxattr(file, got); err != nil || string(got[:n]) != "user.note\x00" {
		t.Errorf("list: got %q, %v", got[:max(n, 0)], err)
	}
	if err := unix.Removexattr(file, "user.note"); err != nil {
		t.Fatal(err)
	}
	_, err = unix.Getxattr(file, "user.note", nil)
	wantErr(t, "removed", err, unix.ENODATA)
}

// aclEntry is one line of an ACL in the form of its extended attribute.
type aclEntry struct {
	tag, perm uint16
	id        uint32
}

const (
	aclVersion = 2
	aclUserObj = 0x01
	aclUser    = 0x02
	aclGroup   = 0x04
	aclMask    = 0x10
	aclOther   = 0x20
	aclNobody  = ^uint32(0)
)

func acl(entries ...aclEntry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

// TestDefaultACLIsInherited checks that a new file gets the directory's default ACL instead of the umask, and
// that the kernel goes by it.
func TestDefaultACLIsInherited(t *testing.T) {
	harness.RequireRoot(t)
	dir := subdir(t, newMount(t), "shared")
	inherited := acl(
		aclEntry{aclUserObj, 7, aclNobody}, aclEntry{aclUser, 6, 1234}, aclEntry{aclGroup, 0, aclNobody},
		aclEntry{aclMask, 7, aclNobody}, aclEntry{aclOther, 0, aclNobody},
	)
	if err := unix.Setxattr(dir, "system.posix_acl_default", inherited, 0); err != nil {
		t.Fatal(err)
	}
	old := unix.Umask(0o077)
	err := os.WriteFile(dir+"/file", []byte("for 1234"), 0o666)
	unix.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	if st := stat(t, dir+"/file"); st.Mode&0o777 != 0o660 {
		t.Errorf("got mode %o, want 660: the ACL stands in for the umask", st.Mode&0o777)
	}
	if out, err := as(1234, fmt.Sprintf("cat %s/file && echo more >> %s/file", dir, dir)).CombinedOutput(); err != nil {
		t.Errorf("the named user: %v: %s", err, out)
	}
	if err := as(1235, fmt.Sprintf("cat %s/file", dir)).Run(); err == nil {
		t.Error("another user read the file")
	}
	if err := os.Mkdir(dir+"/sub", 0o777); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100)
	if n, err := unix.Getxattr(dir+"/sub", "system.posix_acl_default", got); err != nil || !bytes.Equal(got[:n], inherited) {
		t.Errorf("a new directory's default ACL: got %x, %v", got[:max(n, 0)], err)
	}
}

func TestChmodChangesACLMask(t *testing.T) {
	harness.RequireRoot(t)
	file := newMount(t) + "/file"
	write(t, file, "x")
	full := acl(
		aclEntry{aclUserObj, 6, aclNobody}, aclEntry{aclUser, 6, 1234}, aclEntry{aclGroup, 4, aclNobody},
		aclEntry{aclMask, 6, aclNobody}, aclEntry{aclOther, 0, aclNobody},
	)
	if err := unix.Setxattr(file, accessACLName, full, 0); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, file); st.Mode&0o777 != 0o660 {
		t.Errorf("got mode %o, want 660: the group bits are the mask", st.Mode&0o777)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := as(1234, "cat "+file).Run(); err == nil {
		t.Error("the named user read the file through an empty mask")
	}
}

func TestNoXattrsForgetsWhatChanged(t *testing.T) {
	var x noXattrs
	plain := &swarmstore.Attr{Ino: 7}
	x.learn(plain, x.epoch())
	if !x.knownNone(7) {
		t.Fatal("did not learn")
	}
	early := x.epoch()
	x.forget(7)
	if x.knownNone(7) {
		t.Error("did not forget")
	}
	x.learn(plain, early)
	if x.knownNone(7) {
		t.Error("learnt from attributes read before the change")
	}
	x.learn(&swarmstore.Attr{Ino: 8, HasXattrs: true}, x.epoch())
	if x.knownNone(8) {
		t.Error("learnt that a node with attributes has none")
	}
}

func TestNoXattrsIsBounded(t *testing.T) {
	var x noXattrs
	for i := range swarmstore.Ino(noXattrShards * (noXattrPerShard + 1)) {
		x.learn(&swarmstore.Attr{Ino: i}, x.epoch())
	}
	for i := range x.shards {
		if n := len(x.shards[i].nodes); n != noXattrPerShard {
			t.Errorf("shard %d remembers %d nodes, want %d", i, n, noXattrPerShard)
		}
	}
	x.forgetAll()
	if x.knownNone(1) {
		t.Error("did not forget all")
	}
}
