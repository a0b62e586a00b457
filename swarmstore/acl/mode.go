package acl

import "slices"

const modePerm = 0o777

// FromMode returns the ACL that says what the permission bits of a mode say:
// posix_acl_from_mode.
func FromMode(mode uint32) ACL {
	return ACL{
		{Tag: UserObj, Perm: uint16(mode >> 6 & permBits), ID: UndefinedID},
		{Tag: GroupObj, Perm: uint16(mode >> 3 & permBits), ID: UndefinedID},
		{Tag: Other, Perm: uint16(mode & permBits), ID: UndefinedID},
	}
}

// EquivMode returns the permission bits that stat(2) shows for a file with this access ACL, and
// whether they say everything, so that the ACL itself need not be kept: posix_acl_equiv_mode.
func (a ACL) EquivMode() (perm uint32, exact bool) {
	exact = true
	for _, e := range a {
		switch e.Tag {
		case UserObj:
			perm |= uint32(e.Perm) << 6
		case GroupObj:
			perm |= uint32(e.Perm) << 3
		case Other:
			perm |= uint32(e.Perm)
		case Mask: // after GroupObj, in whose place it shows
			perm = perm&^0o070 | uint32(e.Perm)<<3
			exact = false
		default:
			exact = false
		}
	}
	return perm, exact
}

// Chmod returns the access ACL of a file after chmod(2): the group bits go to the mask where
// there is one, else to the owning group. __posix_acl_chmod_masq.
func (a ACL) Chmod(mode uint32) ACL {
	changed := slices.Clone(a)
	for i := range changed {
		switch e := &changed[i]; e.Tag {
		case UserObj:
			e.Perm = uint16(mode >> 6 & permBits)
		case Other:
			e.Perm = uint16(mode & permBits)
		}
	}
	if group := changed.groupClass(); group != nil {
		group.Perm = uint16(mode >> 3 & permBits)
	}
	return changed
}

// Create returns what a new file gets in a directory with this default ACL: its access ACL, nil
// when the mode says it all, and its mode, which is the one asked for without what the ACL does
// not grant. The umask plays no part. A new directory also inherits the default ACL as it is,
// and a symlink has no ACL: both are the caller's to do. posix_acl_create.
func (a ACL) Create(mode uint32) (access ACL, newMode uint32) {
	access = slices.Clone(a)
	perm := mode & modePerm
	for i := range access {
		switch e := &access[i]; e.Tag {
		case UserObj:
			perm &= e.restrict(perm, 6)
		case Other:
			perm &= e.restrict(perm, 0)
		}
	}
	if group := access.groupClass(); group != nil {
		perm &= group.restrict(perm, 3)
	}
	newMode = mode&^modePerm | perm
	if _, exact := access.EquivMode(); exact {
		return nil, newMode
	}
	return access, newMode
}

// restrict takes from the entry what its class in perm, shift bits up, does not grant, and
// returns the bits that the entry leaves in perm; those of other classes are all set.
func (e *Entry) restrict(perm uint32, shift uint) uint32 {
	e.Perm &= uint16(perm >> shift & permBits)
	return uint32(e.Perm)<<shift | ^uint32(permBits<<shift)
}

// groupClass finds the entry that the group bits of a mode stand for: the mask or, without one,
// the owning group. Nil if the ACL is not valid.
func (a ACL) groupClass() *Entry {
	for _, tag := range []Tag{Mask, GroupObj} {
		if i := slices.IndexFunc(a, func(e Entry) bool { return e.Tag == tag }); i >= 0 {
			return &a[i]
		}
	}
	return nil
}
