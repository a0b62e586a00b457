package posix

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// Tags of the entries of an access control list, as in <linux/posix_acl.h>.
const (
	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20

	aclVersion   = 2
	aclNoID      = 1<<32 - 1
	aclAccess    = "system.posix_acl_access"
	aclDefault   = "system.posix_acl_default"
	aclMaxLength = 1024
)

type aclEntry struct {
	tag, perm uint16
	id        uint32
}

// acl encodes entries as the extended attribute that holds them.
func acl(entries ...aclEntry) []byte {
	b := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

// forUser is an access control list that gives ownerID permissions of its own,
// within a mask.
func forUser(owner, user, group, mask, other uint16) []byte {
	return acl(
		aclEntry{aclUserObj, owner, aclNoID},
		aclEntry{aclUser, user, ownerID},
		aclEntry{aclGroupObj, group, aclNoID},
		aclEntry{aclMask, mask, aclNoID},
		aclEntry{aclOther, other, aclNoID},
	)
}

// testACL checks access control lists where the file system has them, which
// local Linux file systems and swarmfs do.
func testACL(s *suite, t *testing.T) {
	t.Run("gives permissions", func(t *testing.T) { checkACLAccess(s.fixture(t)) })
	t.Run("is the group bits of the mode", func(t *testing.T) { checkACLMode(s.fixture(t)) })
	t.Run("by default", func(t *testing.T) { checkACLDefault(s.fixture(t)) })
	t.Run("errors", func(t *testing.T) { checkACLErrors(s.fixture(t)) })
}

func checkACLAccess(f *fixture) {
	f.must(f.root.create("x", 0o600))
	user, group := f.as(ownerID, ownerID), f.as(strangerID, strangerID)
	f.want(user.touch("x", unix.O_RDONLY, 0), unix.EACCES)
	f.want(f.root.setxattr("x", aclAccess, forUser(6, 6, 0, 6, 0), 0))
	f.want(user.touch("x", unix.O_RDWR, 0))
	f.want(group.touch("x", unix.O_RDONLY, 0), unix.EACCES)
	// The mask limits what entries for users and groups give.
	f.want(f.root.setxattr("x", aclAccess, forUser(6, 6, 0, 4, 0), 0))
	f.want(user.touch("x", unix.O_RDONLY, 0))
	f.want(user.touch("x", unix.O_RDWR, 0), unix.EACCES)
	f.want(f.root.setxattr("x", aclAccess, acl(
		aclEntry{aclUserObj, 6, aclNoID},
		aclEntry{aclGroupObj, 0, aclNoID},
		aclEntry{aclGroup, 4, strangerID},
		aclEntry{aclMask, 7, aclNoID},
		aclEntry{aclOther, 0, aclNoID},
	), 0))
	f.want(user.touch("x", unix.O_RDONLY, 0), unix.EACCES)
	f.want(group.touch("x", unix.O_RDONLY, 0))
	f.want(group.touch("x", unix.O_WRONLY, 0), unix.EACCES)
	f.want(f.root.removexattr("x", aclAccess))
	f.want(group.touch("x", unix.O_RDONLY, 0), unix.EACCES)
}

func checkACLMode(f *fixture) {
	f.must(f.root.create("x", 0o600))
	f.want(f.root.setxattr("x", aclAccess, forUser(7, 6, 1, 4, 5), 0))
	f.wantMode("x", 0o745)
	f.want(f.root.chmod("x", 0o621))
	f.wantMode("x", 0o621)
	f.wantACL("x", aclAccess, forUser(6, 6, 1, 2, 1))
	// A list that says no more than the mode does is the mode, and not kept.
	f.want(f.root.setxattr("x", aclAccess, acl(
		aclEntry{aclUserObj, 6, aclNoID}, aclEntry{aclGroupObj, 4, aclNoID}, aclEntry{aclOther, 0, aclNoID},
	), 0))
	f.wantMode("x", 0o640)
	f.want(f.root.getxattr("x", aclAccess, aclMaxLength), unix.ENODATA)
}

// checkACLDefault: the default list of a directory is the list of what is made
// in it, within the mode asked for, and takes the place of the umask.
func checkACLDefault(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.want(f.root.setxattr("d", aclDefault, forUser(7, 6, 5, 7, 1), 0))
	f.wantMode("d", 0o755)
	u := f.root.with(0o077)
	f.want(u.create("d/file", 0o666))
	f.wantMode("d/file", 0o660)
	f.wantACL("d/file", aclAccess, forUser(6, 6, 5, 6, 0))
	f.want(f.as(ownerID, ownerID).touch("d/file", unix.O_RDWR, 0))
	f.want(u.mkfifo("d/fifo", 0o644))
	f.wantMode("d/fifo", 0o640)
	f.want(u.mkdir("d/dir", 0o777))
	f.wantMode("d/dir", 0o771)
	f.wantACL("d/dir", aclAccess, forUser(7, 6, 5, 7, 1))
	f.wantACL("d/dir", aclDefault, forUser(7, 6, 5, 7, 1))
	f.want(u.symlink("test", "d/link"))
	f.wantMode("d/link", 0o777)
	// A plain default list only changes the mode.
	f.want(f.root.setxattr("d", aclDefault, acl(
		aclEntry{aclUserObj, 7, aclNoID}, aclEntry{aclGroupObj, 6, aclNoID}, aclEntry{aclOther, 0, aclNoID},
	), 0))
	f.want(u.create("d/plain", 0o666))
	f.wantMode("d/plain", 0o660)
	f.want(f.root.getxattr("d/plain", aclAccess, aclMaxLength), unix.ENODATA)
	f.want(f.root.removexattr("d", aclDefault))
	f.want(u.create("d/masked", 0o666))
	f.wantMode("d/masked", 0o600)
}

func checkACLErrors(f *fixture) {
	f.make(regular, "x", ownerID, ownerID)
	f.must(f.root.mkdir("d", 0o755))
	good := forUser(6, 6, 0, 6, 0)
	f.want(f.as(strangerID, strangerID).setxattr("x", aclAccess, good, 0), unix.EPERM)
	f.want(f.root.setxattr("x", aclDefault, good, 0), unix.EACCES)
	for _, bad := range [][]byte{
		good[:len(good)-1],
		acl(aclEntry{aclUserObj, 6, aclNoID}),
		acl(aclEntry{aclUserObj, 6, aclNoID}, aclEntry{aclUser, 6, 1}, aclEntry{aclGroupObj, 0, aclNoID}, aclEntry{aclOther, 0, aclNoID}), // no mask
		acl(aclEntry{aclUserObj, 9, aclNoID}, aclEntry{aclGroupObj, 0, aclNoID}, aclEntry{aclOther, 0, aclNoID}),                          // no such permission
	} {
		f.want(f.root.setxattr("x", aclAccess, bad, 0), unix.EINVAL)
		f.want(f.root.setxattr("d", aclDefault, bad, 0), unix.EINVAL)
	}
	unknownVersion := append([]byte{aclVersion + 1}, good[1:]...)
	f.want(f.root.setxattr("x", aclAccess, unknownVersion, 0), unix.EOPNOTSUPP)
	f.wantMode("x", 0o644)
	f.want(f.as(ownerID, ownerID).setxattr("x", aclAccess, good, 0))
	f.wantMode("x", 0o660)
}

func (f *fixture) wantACL(path, name string, want []byte) {
	f.t.Helper()
	r := f.root.getxattr(path, name, aclMaxLength)
	f.must(r)
	equal(f, path+": "+name, string(r.Data), string(want))
}
