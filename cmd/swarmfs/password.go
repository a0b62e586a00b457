package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"swarmfs/swarmstore/keys"
)

// askPassword is the --password-file that means a person.
const askPassword = "-"

// passwordOf finds out where the password of a store's keys comes from: the file named, the
// environment, the store's own password file, or a person. A store without keys gets a password
// file of its own.
func (p *program) passwordOf(file, store string) keys.PasswordFunc {
	keyDir := filepath.Join(store, "keys")
	own := filepath.Join(keyDir, "password")
	return func(name string) (string, error) {
		if file == askPassword {
			return p.prompt(fmt.Sprintf("Password of key %s: ", name), !exists(filepath.Join(keyDir, name+".key")))
		} else if file != "" {
			return keys.ReadPassword(file)
		}
		if password := os.Getenv("SWARMFS_PASSWORD"); password != "" {
			return password, nil
		}
		if !exists(own) && hasKeys(keyDir) { // then they have another password, which somebody knows
			return p.prompt(fmt.Sprintf("Password of key %s: ", name), false)
		}
		return keys.FilePassword(own)(name)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func hasKeys(dir string) bool {
	found, err := filepath.Glob(filepath.Join(dir, "*.key"))
	return err == nil && len(found) > 0
}

// prompt asks the person at the terminal for a password, twice for a new one.
func (p *program) prompt(question string, isNew bool) (string, error) {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0) // standard input may be a file
	if err != nil {
		return "", errors.New("there is no terminal to ask at; use --password-file or SWARMFS_PASSWORD")
	}
	defer terminal.Close()
	password, err := readPassword(terminal, question)
	if err != nil || !isNew {
		return password, err
	}
	again, err := readPassword(terminal, "The same again: ")
	if err != nil {
		return "", err
	}
	if again != password {
		return "", errors.New("the two passwords differ")
	}
	return password, nil
}

func readPassword(terminal *os.File, question string) (string, error) {
	fmt.Fprint(terminal, question)
	password, err := term.ReadPassword(int(terminal.Fd()))
	fmt.Fprintln(terminal)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(password), nil
}
