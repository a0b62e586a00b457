package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxPasswordSize bounds a password file: whatever is larger was named by mistake.
const maxPasswordSize = 4 << 10

// FilePassword returns the PasswordFunc that takes the password of every key from a file, and
// makes the file, mode 0600 with a random password, when there is none. Keys that it protects
// are as safe as the directory of that file.
func FilePassword(path string) PasswordFunc {
	return func(string) (string, error) {
		password, err := ReadPassword(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return password, err
		}
		if err := createPassword(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("create password file: %w", err)
		}
		return ReadPassword(path) // another process may have been faster
	}
}

// ReadPassword reads a password file: its text without the line ends at its end.
func ReadPassword(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPasswordSize+1))
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	if len(text) > maxPasswordSize {
		return "", fmt.Errorf("password file %s: larger than %d bytes", path, maxPasswordSize)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("password file %s: it is empty", path)
	}
	return password, nil
}

// createPassword writes a random password to a file that must not be there yet.
func createPassword(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(dir, scratchPattern)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	complete := filepath.Join(scratch, "password")
	if err := os.WriteFile(complete, []byte(rand.Text()+"\n"), fileMode); err != nil {
		return err
	}
	return moveDurably(complete, path)
}
