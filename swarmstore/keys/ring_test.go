package keys

import (
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ethersphere/bee/v2/pkg/crypto"
)

// The vector of the Web3 secret storage definition (scrypt), with the address of its key.
const (
	vectorPassword = "testpassword"
	vectorSecret   = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
	vectorAddress  = "008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
	vectorFile     = `{
		"crypto": {
			"cipher": "aes-128-ctr",
			"cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
			"ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
			"kdf": "scrypt",
			"kdfparams": {"dklen": 32, "n": 262144, "r": 1, "p": 8,
				"salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
			"mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"
		},
		"id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
		"version": 3
	}`
)

func fixed(password string) PasswordFunc {
	return func(string) (string, error) { return password, nil }
}

func noPassword(t *testing.T) PasswordFunc {
	return func(name string) (string, error) {
		t.Errorf("asked for the password of %q", name)
		return "", errors.New("no password here")
	}
}

func secretOf(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	secret, err := crypto.EDGSecp256_K1.Encode(key)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(secret)
}

func newRing(t *testing.T) *Ring {
	t.Helper()
	return NewRing(filepath.Join(t.TempDir(), "keys"), fixed("secret"))
}

func TestCreatedKeyIsReadBack(t *testing.T) {
	r := newRing(t)
	addr, err := r.Create("default")
	if err != nil {
		t.Fatal(err)
	}
	key, err := r.Key("default")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := addressOf(key); err != nil || got != addr {
		t.Errorf("address of the key = %x, %v; Create said %x", got, err, addr)
	}
	withoutPassword := NewRing(r.dir, noPassword(t))
	if got, err := withoutPassword.Address("default"); err != nil || got != addr {
		t.Errorf("Address = %x, %v; want %x", got, err, addr)
	}
}

func TestFilesArePrivateAndComplete(t *testing.T) {
	r := newRing(t)
	if _, err := r.Create("default"); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Stat(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if dir.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v", dir.Mode())
	}
	files, err := os.ReadDir(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Name() != "default.key" {
		t.Fatalf("directory holds %v, want default.key alone", files)
	}
	info, err := files[0].Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("key file has mode %v", info.Mode())
	}
}

func TestWrongPassword(t *testing.T) {
	r := newRing(t)
	if _, err := r.Create("default"); err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"Secret", ""} {
		_, err := NewRing(r.dir, fixed(password)).Key("default")
		if !errors.Is(err, ErrPassword) {
			t.Errorf("Key with password %q: %v, want ErrPassword", password, err)
		}
	}
}

func TestExistingKeyIsNeverReplaced(t *testing.T) {
	r := newRing(t)
	addr, err := r.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	asked := NewRing(r.dir, noPassword(t))
	if _, err := asked.Create("a"); !errors.Is(err, ErrExists) {
		t.Errorf("Create: %v, want ErrExists", err)
	}
	if _, err := asked.Import("a", []byte(vectorFile), vectorPassword); !errors.Is(err, ErrExists) {
		t.Errorf("Import: %v, want ErrExists", err)
	}
	if _, err := asked.ImportHex("a", vectorSecret); !errors.Is(err, ErrExists) {
		t.Errorf("ImportHex: %v, want ErrExists", err)
	}
	if got, created, err := asked.Ensure("a"); got != addr || created || err != nil {
		t.Errorf("Ensure = %x, %v, %v", got, created, err)
	}
}

func TestConcurrentEnsureAgrees(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	const n = 4
	addrs := make([][AddressSize]byte, n)
	made := make([]bool, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			var err error
			// A ring of its own, as in processes of their own.
			r := NewRing(dir, FilePassword(filepath.Join(dir, "password")))
			if addrs[i], made[i], err = r.Ensure("default"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	count := 0
	for i := range n {
		if made[i] {
			count++
		}
		if addrs[i] != addrs[0] {
			t.Errorf("addresses differ: %x, %x", addrs[i], addrs[0])
		}
	}
	if count != 1 {
		t.Errorf("%d callers made the key, want 1", count)
	}
	if _, err := NewRing(dir, FilePassword(filepath.Join(dir, "password"))).Key("default"); err != nil {
		t.Error(err)
	}
}

func TestMissingKey(t *testing.T) {
	r := NewRing(filepath.Join(t.TempDir(), "none"), noPassword(t))
	if _, err := r.Address("default"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Address: %v", err)
	}
	if _, err := r.Key("default"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Key: %v", err)
	}
	if _, err := r.Export("default"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Export: %v", err)
	}
	if entries, err := r.List(); len(entries) != 0 || err != nil {
		t.Errorf("List = %v, %v", entries, err)
	}
	if _, err := os.Stat(r.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading made the directory: %v", err)
	}
}

func TestKeyNames(t *testing.T) {
	r := newRing(t)
	for _, name := range []string{"", ".", "..", ".hidden", "a/b", "../a", `a\b`, "a\x00b", "a\nb", "\xff", strings.Repeat("n", 65)} {
		if _, err := r.Create(name); !errors.Is(err, ErrName) {
			t.Errorf("Create(%q): %v, want ErrName", name, err)
		}
		if _, err := r.Address(name); !errors.Is(err, ErrName) {
			t.Errorf("Address(%q): %v, want ErrName", name, err)
		}
	}
	for _, name := range []string{"a", "My key.2", "schlüssel", strings.Repeat("n", 64)} {
		if err := checkName(name); err != nil {
			t.Errorf("checkName(%q): %v", name, err)
		}
	}
}

func TestListIsSortedAndSurvivesDamage(t *testing.T) {
	r := newRing(t)
	var want []Entry
	for _, name := range []string{"alice", "bob"} {
		addr, err := r.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, Entry{name, addr})
	}
	if err := os.WriteFile(filepath.Join(r.dir, "password"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := r.List(); err != nil || !slices.Equal(got, want) {
		t.Errorf("List = %v, %v; want %v", got, err, want)
	}
	if err := os.WriteFile(keyPath(r.dir, "broken"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := r.List()
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "broken") {
		t.Errorf("List error = %v, want one that names the broken key", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("List = %v; want %v", got, want)
	}
}

func TestEmptyKeyFileIsNotTakenForAMissingOne(t *testing.T) {
	r := newRing(t)
	if _, err := r.Create("a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(keyPath(r.dir, "a"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Key("a"); !errors.Is(err, ErrMalformed) {
		t.Errorf("Key: %v, want ErrMalformed", err)
	}
	if _, _, err := r.Ensure("a"); !errors.Is(err, ErrMalformed) {
		t.Errorf("Ensure: %v, want ErrMalformed", err)
	}
	info, err := os.Stat(keyPath(r.dir, "a"))
	if err != nil || info.Size() != 0 {
		t.Errorf("the damaged file was replaced: %v, %v", info, err)
	}
}

func TestExchangedKeyFileIsNoticed(t *testing.T) {
	r := newRing(t)
	if _, err := r.Create("a"); err != nil {
		t.Fatal(err)
	}
	exported, err := r.Export("a")
	if err != nil {
		t.Fatal(err)
	}
	addr, err := r.Address("a")
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.ReplaceAll(string(exported), hex.EncodeToString(addr[:]), vectorAddress)
	if err := os.WriteFile(keyPath(r.dir, "a"), []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Key("a"); !errors.Is(err, ErrMalformed) {
		t.Errorf("Key: %v, want ErrMalformed", err)
	}
}
