// Package acl implements the POSIX access control lists of Linux: the form in which the extended
// attributes system.posix_acl_access and system.posix_acl_default hold them, what makes one
// valid, and how they and the permission bits of a mode follow each other.
//
// The rules are those of fs/posix_acl.c in the Linux kernel, whose functions are named where
// they are followed; the tests compare with the running kernel. The package decides nothing
// about who may do what: that is the kernel's part.
package acl

import (
	"errors"
	"fmt"
)

// The names of the extended attributes.
const (
	XattrAccess  = "system.posix_acl_access"
	XattrDefault = "system.posix_acl_default"
)

// ErrInvalid tells that an ACL is not one, as EINVAL does.
var ErrInvalid = errors.New("invalid access control list")

// Tag says whom an entry is about.
type Tag uint16

// The tags, in the order in which a valid ACL has them.
const (
	UserObj  Tag = 0x01 // the owner
	User     Tag = 0x02 // the user Entry.ID
	GroupObj Tag = 0x04 // the owning group
	Group    Tag = 0x08 // the group Entry.ID
	Mask     Tag = 0x10 // the most that User, GroupObj and Group entries grant
	Other    Tag = 0x20 // everybody else
)

// UndefinedID is the ID of entries that are about no particular user or group.
const UndefinedID uint32 = 1<<32 - 1

// Entry grants permissions: 4 read, 2 write, 1 execute.
type Entry struct {
	Tag  Tag
	Perm uint16
	ID   uint32
}

// ACL is a list of entries. The methods expect a valid one, which is what Parse and the
// functions of this package return. Nil stands for no ACL.
type ACL []Entry

const permBits = 0o7

// Validate tells whether the kernel would accept the ACL: posix_acl_valid. The entries stand in
// the order of the tags, UserObj, GroupObj and Other once each, Mask at most once and always
// where there is a User or Group entry. Several entries for one user or group are accepted.
func (a ACL) Validate() error {
	next := UserObj // the tag at which we are: entries of its section may follow
	needsMask := false
	for i, e := range a {
		if e.Perm&^permBits != 0 {
			return fmt.Errorf("%w: entry %d has permissions %#o", ErrInvalid, i, e.Perm)
		}
		if (e.Tag == User || e.Tag == Group) && e.ID == UndefinedID {
			return fmt.Errorf("%w: entry %d names nobody", ErrInvalid, i)
		}
		switch {
		case e.Tag == UserObj && next == UserObj:
			next = User
		case e.Tag == User && next == User:
			needsMask = true
		case e.Tag == GroupObj && next == User:
			next = Group
		case e.Tag == Group && next == Group:
			needsMask = true
		case e.Tag == Mask && next == Group:
			next = Other
		case e.Tag == Other && (next == Other || next == Group && !needsMask):
			next = 0
		default:
			return fmt.Errorf("%w: entry %d with tag %#x is out of place", ErrInvalid, i, e.Tag)
		}
	}
	if next != 0 {
		return fmt.Errorf("%w: it ends early", ErrInvalid)
	}
	return nil
}
