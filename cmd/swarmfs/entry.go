package main

import (
	"context"
	"fmt"
	"os/user"
	"strconv"
	"time"

	"swarmfs/swarmstore"
)

// entry is what ls and stat show of a node; its JSON form is for scripts and does not change.
type entry struct {
	Name      string    `json:"name"`
	Path      string    `json:"path"`
	Type      string    `json:"type"`
	Mode      string    `json:"mode"` // permission bits in octal
	Links     uint32    `json:"links"`
	UID       uint32    `json:"uid"`
	GID       uint32    `json:"gid"`
	Size      int64     `json:"size"`
	Modified  time.Time `json:"modified"`
	Inode     uint64    `json:"inode"`
	Target    string    `json:"target,omitempty"`    // of a symlink
	Reference string    `json:"reference,omitempty"` // Swarm address of a regular file's content
	Sealed    *bool     `json:"sealed,omitempty"`    // false: newer bytes are not in the reference yet

	attr swarmstore.Attr
}

const permissionBits = 0o7777

func newEntry(ctx context.Context, v *swarmstore.Volume, name, path string, a swarmstore.Attr) (entry, error) {
	e := entry{
		attr: a, Name: name, Path: path, Type: typeName(a.Mode), Mode: fmt.Sprintf("%04o", a.Mode&permissionBits),
		Links: a.Nlink, UID: a.UID, GID: a.GID, Size: a.Size, Modified: a.Mtime.UTC(), Inode: uint64(a.Ino),
	}
	if a.IsRegular() {
		e.Sealed = &a.Sealed
		if !a.Reference.IsZero() {
			e.Reference = a.Reference.String()
		}
	}
	if isSymlink(a) {
		target, err := v.Readlink(ctx, a.Ino)
		if err != nil {
			return e, fail("read link", path, err)
		}
		e.Target = target
	}
	return e, nil
}

func (e *entry) isDir() bool { return e.attr.IsDir() }

func (e *entry) modeString() string { return modeString(e.attr.Mode) }

func isSymlink(a swarmstore.Attr) bool { return a.Mode&swarmstore.ModeType == swarmstore.ModeSymlink }

// fileTypes are the types of nodes with the letters that ls shows for them.
var fileTypes = map[uint32]struct {
	letter byte
	name   string
}{
	swarmstore.ModeRegular:  {'-', "file"},
	swarmstore.ModeDir:      {'d', "directory"},
	swarmstore.ModeSymlink:  {'l', "symlink"},
	swarmstore.ModeFIFO:     {'p', "fifo"},
	swarmstore.ModeSocket:   {'s', "socket"},
	swarmstore.ModeCharDev:  {'c', "character device"},
	swarmstore.ModeBlockDev: {'b', "block device"},
}

func typeName(mode uint32) string { return fileTypes[mode&swarmstore.ModeType].name }

// modeString writes a mode as ls does: drwxr-x--T.
func modeString(mode uint32) string {
	s := []byte("?rwxrwxrwx")
	if t, ok := fileTypes[mode&swarmstore.ModeType]; ok {
		s[0] = t.letter
	}
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			s[1+i] = '-'
		}
	}
	for _, special := range []struct {
		bit      uint32
		at       int
		with, no byte // the letter with and without the execute bit below it
	}{
		{swarmstore.ModeSetuid, 3, 's', 'S'},
		{swarmstore.ModeSetgid, 6, 's', 'S'},
		{swarmstore.ModeSticky, 9, 't', 'T'},
	} {
		switch {
		case mode&special.bit == 0:
		case s[special.at] == 'x':
			s[special.at] = special.with
		default:
			s[special.at] = special.no
		}
	}
	return string(s)
}

// accounts looks names of users and groups up, each once.
type accounts struct{ users, groups map[uint32]string }

func newAccounts() *accounts {
	return &accounts{map[uint32]string{}, map[uint32]string{}}
}

func (a *accounts) user(id uint32) string {
	return remember(a.users, id, func(id string) (string, error) {
		u, err := user.LookupId(id)
		if err != nil {
			return "", err
		}
		return u.Username, nil
	})
}

func (a *accounts) group(id uint32) string {
	return remember(a.groups, id, func(id string) (string, error) {
		g, err := user.LookupGroupId(id)
		if err != nil {
			return "", err
		}
		return g.Name, nil
	})
}

func remember(known map[uint32]string, id uint32, lookup func(string) (string, error)) string {
	name, ok := known[id]
	if !ok {
		number := strconv.FormatUint(uint64(id), 10)
		var err error
		if name, err = lookup(number); err != nil {
			name = number // nobody here has it
		}
		known[id] = name
	}
	return name
}
