package keys

import (
	"cmp"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/ethersphere/bee/v2/pkg/crypto"
	"github.com/ethersphere/bee/v2/pkg/keystore"
	"github.com/ethersphere/bee/v2/pkg/keystore/file"
)

// The errors of this package, wrapped with the name of the key; match them with errors.Is.
var (
	ErrPassword  = errors.New("wrong password")
	ErrNotFound  = errors.New("no such key")
	ErrExists    = errors.New("key exists")
	ErrName      = errors.New("bad key name")
	ErrMalformed = errors.New("not a usable key file")
)

// AddressSize is the length of an Ethereum address in bytes.
const AddressSize = crypto.AddressSize

// PasswordFunc tells the password of the key of that name. It may ask a person.
type PasswordFunc func(name string) (string, error)

// Ring is a directory of encrypted keys. Its methods may be called concurrently.
type Ring struct {
	dir      string
	password PasswordFunc
}

// Entry is one key of a ring.
type Entry struct {
	Name    string
	Address [AddressSize]byte
}

// NewRing returns the ring of the directory dir, which need not exist yet.
func NewRing(dir string, password PasswordFunc) *Ring {
	return &Ring{dir: dir, password: password}
}

// Address tells the Ethereum address of a key. It needs no password.
func (r *Ring) Address(name string) ([AddressSize]byte, error) {
	stored, err := r.read(name)
	if err != nil {
		return [AddressSize]byte{}, err
	}
	return stored.address()
}

// Key decrypts a key.
func (r *Ring) Key(name string) (*ecdsa.PrivateKey, error) {
	stored, err := r.read(name)
	if err != nil {
		return nil, err
	}
	password, err := r.askPassword(name)
	if err != nil {
		return nil, err
	}
	key, err := decrypt(r.dir, name, password)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	if err := stored.checkAddress(key); err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	return key, nil
}

// Create generates a key. ErrExists if there is one of that name.
func (r *Ring) Create(name string) ([AddressSize]byte, error) {
	return r.add(name, crypto.EDGSecp256_K1)
}

// Ensure tells the address of a key and generates the key if there is none of that name.
func (r *Ring) Ensure(name string) (addr [AddressSize]byte, created bool, err error) {
	addr, err = r.Address(name)
	if !errors.Is(err, ErrNotFound) {
		return addr, false, err
	}
	addr, err = r.Create(name)
	if errors.Is(err, ErrExists) { // another process was faster
		addr, err = r.Address(name)
		return addr, false, err
	}
	return addr, err == nil, err
}

// List tells the keys of the ring in the order of their names. Files that are not usable are
// left out and named by the error, beside which the other keys are returned.
func (r *Ring) List() ([]Entry, error) {
	files, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var entries []Entry
	var unusable []error
	for _, f := range files {
		name, isKey := strings.CutSuffix(f.Name(), keySuffix)
		if !isKey || checkName(name) != nil {
			continue
		}
		addr, err := r.Address(name)
		if err != nil {
			unusable = append(unusable, err)
			continue
		}
		entries = append(entries, Entry{Name: name, Address: addr})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	return entries, errors.Join(unusable...)
}

// Export returns the key file as it is stored, encrypted with the ring's password.
func (r *Ring) Export(name string) ([]byte, error) {
	if _, err := r.read(name); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(keyPath(r.dir, name))
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	return content, nil
}

// add encrypts the key that edg generates and stores it under a new name.
func (r *Ring) add(name string, edg keystore.EDG) ([AddressSize]byte, error) {
	var addr [AddressSize]byte
	if err := r.checkNew(name); err != nil { // before a person is asked for a password
		return addr, err
	}
	password, err := r.askPassword(name)
	if err != nil {
		return addr, err
	}
	return addr, r.store(name, func(dir string) error {
		key, err := file.New(dir).SetKey(name, password, edg)
		if err != nil {
			return err
		}
		addr, err = addressOf(key)
		return err
	})
}

// store lets write make the key file of that name in a directory of its own, and moves it to its
// place once it is on the disk.
func (r *Ring) store(name string, write func(dir string) error) error {
	if err := os.MkdirAll(r.dir, dirMode); err != nil {
		return fmt.Errorf("key %q: %w", name, err)
	}
	scratch, err := os.MkdirTemp(r.dir, scratchPattern)
	if err != nil {
		return fmt.Errorf("key %q: %w", name, err)
	}
	defer os.RemoveAll(scratch)
	if err := write(scratch); err != nil {
		return fmt.Errorf("key %q: %w", name, err)
	}
	err = moveDurably(keyPath(scratch, name), keyPath(r.dir, name))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("key %q: %w", name, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("key %q: %w", name, err)
	}
	return nil
}

// checkNew makes sure that a key of that name can be added.
func (r *Ring) checkNew(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	_, err := os.Lstat(keyPath(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("key %q: %w", name, err)
	}
	return fmt.Errorf("key %q: %w", name, ErrExists)
}

// read reads and validates the key file of that name.
func (r *Ring) read(name string) (*keyFile, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	stored, err := readKeyFile(keyPath(r.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key %q: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	return stored, nil
}

func (r *Ring) askPassword(name string) (string, error) {
	password, err := r.password(name)
	if err != nil {
		return "", fmt.Errorf("password of key %q: %w", name, err)
	}
	if password == "" {
		return "", fmt.Errorf("password of key %q: %w: it is empty", name, ErrPassword)
	}
	return password, nil
}
