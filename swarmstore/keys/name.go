package keys

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	keySuffix  = ".key" // as bee's keystore names its files
	maxNameLen = 64     // bytes; far below a file name's 255, and short enough for a table
)

// checkName accepts the names that are one visible file name on every system.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrName)
	case len(name) > maxNameLen:
		return fmt.Errorf("%w: longer than %d bytes", ErrName, maxNameLen)
	case strings.HasPrefix(name, "."):
		return fmt.Errorf("%w %q: it begins with a dot", ErrName, name)
	case strings.ContainsAny(name, `/\`):
		return fmt.Errorf("%w %q: it has a slash", ErrName, name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%w %q: it has characters that cannot be printed", ErrName, name)
	}
	return nil
}

func keyPath(dir, name string) string { return filepath.Join(dir, name+keySuffix) }
