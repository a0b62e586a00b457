package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilePasswordIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "password")
	first, err := FilePassword(path)("default")
	if err != nil {
		t.Fatal(err)
	}
	if len(first) < 26 { // 128 random bits in base32
		t.Errorf("password has %d characters", len(first))
	}
	again, err := FilePassword(path)("other")
	if err != nil || again != first {
		t.Errorf("the second call returned another password, %v", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("password file has mode %v", info.Mode())
	}
	other, err := FilePassword(filepath.Join(t.TempDir(), "password"))("default")
	if err != nil || other == first {
		t.Errorf("two stores got the same password, %v", err)
	}
}

func TestReadPassword(t *testing.T) {
	tests := []struct {
		name, text, want string
		ok               bool
	}{
		{"line", "secret\n", "secret", true},
		{"DOS line", "secret\r\n", "secret", true},
		{"no line end", "secret", "secret", true},
		{"spaces stay", " two words ", " two words ", true},
		{"empty", "", "", false},
		{"only a line end", "\n", "", false},
		{"too large", strings.Repeat("x", maxPasswordSize+1), "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "password")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadPassword(path)
			if got != test.want || (err == nil) != test.ok {
				t.Errorf("ReadPassword = %q, %v", got, err)
			}
		})
	}
	if _, err := ReadPassword(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestPasswordErrorsReachTheCaller(t *testing.T) {
	refused := errors.New("nobody at the terminal")
	r := NewRing(t.TempDir(), func(string) (string, error) { return "", refused })
	if _, err := r.Create("a"); !errors.Is(err, refused) {
		t.Errorf("Create: %v", err)
	}
}
