package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"swarmfs/swarmstore/keys"
	"swarmfs/swarmstore/meta"
)

// DefaultVolume and DefaultKey are the names taken when none is given.
const (
	DefaultVolume = "default"
	DefaultKey    = "default"
)

// maxVolumeName bounds volume names, which become part of file names and topics.
const maxVolumeName = 128

// removedPrefix marks a volume whose nodes are being deleted. No volume's name may begin so.
const removedPrefix = ".removed "

// Volume is one named tree of a store. Its methods may be called from any goroutine.
type Volume struct {
	s   *Store
	row meta.Volume
}

// VolumeOptions say how a volume is made.
type VolumeOptions struct {
	Key      string // the key of the store that owns it; "": DefaultKey. It is made if it does not exist
	RootMode uint32 // permission bits of the root directory; 0: 0755
	RootUID  *uint32
	RootGID  *uint32 // nil: this process's
}

// VolumeInfo describes a volume.
type VolumeInfo struct {
	Name    string
	Key     string
	Owner   [keys.AddressSize]byte // Ethereum address
	Created time.Time
	Nodes   int64 // files, directories and others
	Bytes   int64 // sum of the lengths of its files
}

// CreateVolume makes a volume, ErrVolumeExists if there is one of that name.
func (s *Store) CreateVolume(ctx context.Context, name string, o VolumeOptions) (*Volume, error) {
	if err := checkVolumeName(name); err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	if o.Key == "" {
		o.Key = DefaultKey
	}
	if s.o.ReadOnly {
		return nil, fmt.Errorf("volume %q: %w", name, ErrReadOnly)
	}
	owner, _, err := s.keys.Ensure(o.Key)
	if err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	v := &Volume{s: s, row: meta.Volume{Name: name, Key: o.Key, Owner: owner[:], Created: time.Now().UnixNano()}}
	if err := s.update(ctx, func(tx *meta.Tx) error { return v.make(tx, o) }); err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	return v, storeError(s.db.Sync(ctx))
}

// make enters a volume with its root directory.
func (v *Volume) make(tx *meta.Tx, o VolumeOptions) error {
	_, err := tx.Volume(v.row.Name)
	if err == nil {
		return ErrVolumeExists
	}
	if !errors.Is(err, meta.ErrNotFound) {
		return err
	}
	if err := tx.AddVolume(&v.row); err != nil {
		return err
	}
	now := time.Now().UnixNano()
	root := meta.Node{
		Volume: v.row.ID, Mode: ModeDir | 0o755, Nlink: 2, UID: uint32(os.Getuid()), GID: uint32(os.Getgid()),
		Atime: now, Mtime: now, Ctime: now, Btime: now,
	}
	if o.RootMode != 0 {
		root.Mode = ModeDir | o.RootMode&^ModeType
	}
	if o.RootUID != nil {
		root.UID = *o.RootUID
	}
	if o.RootGID != nil {
		root.GID = *o.RootGID
	}
	if root.Ino, err = tx.NextIno(); err != nil {
		return err
	}
	root.Parent, v.row.Root = root.Ino, root.Ino
	if err := tx.InsertNode(&root); err != nil {
		return err
	}
	return tx.SetVolumeRoot(v.row.ID, root.Ino)
}

// checkVolumeName refuses names that would be hard to type or to tell apart in paths and topics.
func checkVolumeName(name string) error {
	bad := strings.IndexFunc(name, func(r rune) bool { return r == '/' || r == utf8.RuneError || !unicode.IsPrint(r) }) >= 0
	switch {
	case len(name) > maxVolumeName:
		return ErrNameTooLong
	case name == "" || bad || strings.HasPrefix(name, ".") || name != strings.TrimSpace(name):
		return fmt.Errorf("%w: a volume's name is printable, has no slash and begins with no dot", ErrInvalid)
	}
	return nil
}

// OpenVolume returns an existing volume, ErrVolumeNotFound if there is none of that name.
func (s *Store) OpenVolume(ctx context.Context, name string) (*Volume, error) {
	v := &Volume{s: s}
	err := s.view(ctx, func(tx *meta.Tx) (err error) { v.row, err = tx.Volume(name); return err })
	if errors.Is(err, ErrNotExist) || err == nil && strings.HasPrefix(name, removedPrefix) {
		err = ErrVolumeNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("volume %q: %w", name, err)
	}
	return v, nil
}

// EnsureVolume returns the volume of that name, made if it does not exist.
func (s *Store) EnsureVolume(ctx context.Context, name string, o VolumeOptions) (*Volume, error) {
	v, err := s.OpenVolume(ctx, name)
	if !errors.Is(err, ErrVolumeNotFound) {
		return v, err
	}
	if v, err = s.CreateVolume(ctx, name, o); errors.Is(err, ErrVolumeExists) {
		return s.OpenVolume(ctx, name) // another process was quicker
	}
	return v, err
}

// Volumes lists the volumes by name. It counts their nodes, which takes a while in a large store.
func (s *Store) Volumes(ctx context.Context) (list []VolumeInfo, err error) {
	err = s.scan(ctx, func(tx *meta.Tx) error {
		rows, err := tx.Volumes()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if strings.HasPrefix(row.Name, removedPrefix) {
				continue
			}
			info := VolumeInfo{Name: row.Name, Key: row.Key, Created: time.Unix(0, row.Created)}
			copy(info.Owner[:], row.Owner)
			if info.Nodes, info.Bytes, err = tx.VolumeUse(row.ID); err != nil {
				return err
			}
			list = append(list, info)
		}
		return nil
	})
	return list, err
}

// RemoveVolume deletes a volume and all that is in it. One that is mounted or served is ErrBusy.
func (s *Store) RemoveVolume(ctx context.Context, name string) error {
	v, err := s.OpenVolume(ctx, name)
	if err != nil {
		return err
	}
	sessions, err := s.Sessions(ctx)
	if err != nil {
		return err
	}
	for _, other := range sessions {
		if other.Volume == name && other.Alive && other.ID != s.session.row.ID {
			return fmt.Errorf("volume %q: %w: process %d uses it (%s %s)", name, ErrBusy, other.PID, other.Purpose, other.Detail)
		}
	}
	err = s.updateFreeing(ctx, func(tx *meta.Tx) error {
		return tx.SetVolumeName(v.row.ID, fmt.Sprintf("%s%d", removedPrefix, v.row.ID))
	})
	if err == nil {
		err = storeError(s.db.Sync(ctx))
	}
	if err == nil {
		err = s.deleteVolume(ctx, v.row.ID)
	}
	if err != nil {
		return fmt.Errorf("remove volume %q: %w", name, err)
	}
	return nil
}

// finishRemovals deletes what is left of volumes whose removal was interrupted.
func (s *Store) finishRemovals(ctx context.Context) error {
	var rows []meta.Volume
	err := s.view(ctx, func(tx *meta.Tx) (err error) { rows, err = tx.Volumes(); return err })
	for _, row := range rows {
		if err == nil && strings.HasPrefix(row.Name, removedPrefix) {
			err = s.deleteVolume(ctx, row.ID)
		}
	}
	return err
}

// deleteVolume deletes the nodes of a volume, many in a transaction, and in the end the volume.
func (s *Store) deleteVolume(ctx context.Context, id int64) error {
	for {
		var nodes []meta.Node
		err := s.updateAlone(ctx, true, func(tx *meta.Tx) error {
			nodes = nil
			// Read here, not before: another process may be at it too.
			err := tx.Nodes(id, 0, s.deleteTogether(), func(n meta.Node) error { nodes = append(nodes, n); return nil })
			if err != nil {
				return err
			}
			if len(nodes) == 0 {
				return tx.DeleteVolume(id)
			}
			for _, n := range nodes {
				if err := tx.DeleteEntries(n.Ino); err != nil {
					return err
				}
				if err := s.deleteNode(tx, n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(nodes) == 0 {
			return err
		}
	}
}

// Name returns the volume's name.
func (v *Volume) Name() string { return v.row.Name }

// Store returns the store that holds the volume.
func (v *Volume) Store() *Store { return v.s }

// Root returns the inode number of the volume's root directory.
func (v *Volume) Root() Ino { return Ino(v.row.Root) }

// Owner returns the Ethereum address that owns the volume's feeds.
func (v *Volume) Owner() (owner [keys.AddressSize]byte) {
	copy(owner[:], v.row.Owner)
	return owner
}
