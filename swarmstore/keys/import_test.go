package keys

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportReencrypts(t *testing.T) {
	r := newRing(t)
	addr, err := r.Import("wallet", []byte(vectorFile), vectorPassword)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(addr[:]) != vectorAddress {
		t.Errorf("address = %x, want %s", addr, vectorAddress)
	}
	key, err := r.Key("wallet")
	if err != nil {
		t.Fatal(err)
	}
	if secretOf(t, key) != vectorSecret {
		t.Error("the key is another one")
	}
	if _, err := NewRing(r.dir, fixed(vectorPassword)).Key("wallet"); !errors.Is(err, ErrPassword) {
		t.Errorf("the old password: %v, want ErrPassword", err)
	}
}

func TestExportedKeyImportsElsewhere(t *testing.T) {
	r := newRing(t)
	addr, err := r.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	exported, err := r.Export("a")
	if err != nil {
		t.Fatal(err)
	}
	other := NewRing(filepath.Join(t.TempDir(), "other"), fixed("another"))
	if got, err := other.Import("b", exported, "secret"); err != nil || got != addr {
		t.Errorf("Import = %x, %v; want %x", got, err, addr)
	}
}

func TestImportWithWrongPasswordLeavesNothing(t *testing.T) {
	r := newRing(t)
	if _, err := r.Import("a", []byte(vectorFile), "nonsense"); !errors.Is(err, ErrPassword) {
		t.Errorf("Import: %v, want ErrPassword", err)
	}
	if entries, err := r.List(); len(entries) != 0 || err != nil {
		t.Errorf("List = %v, %v", entries, err)
	}
}

func TestImportHex(t *testing.T) {
	for _, digits := range []string{vectorSecret, "0x" + vectorSecret, " " + strings.ToUpper(vectorSecret) + "\n"} {
		addr, err := newRing(t).ImportHex("a", digits)
		if err != nil || hex.EncodeToString(addr[:]) != vectorAddress {
			t.Errorf("ImportHex = %x, %v; want %s", addr, err, vectorAddress)
		}
	}
}

func TestImportHexRefusesWhatIsNoKey(t *testing.T) {
	tests := map[string]string{
		"empty":           "",
		"short":           vectorSecret[2:],
		"long":            vectorSecret + "00",
		"not hexadecimal": "x" + vectorSecret[1:],
		"zero":            strings.Repeat("0", 64),
		"curve order":     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		"beyond order":    strings.Repeat("f", 64),
	}
	for name, digits := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := newRing(t).ImportHex("a", digits)
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("ImportHex: %v, want ErrMalformed", err)
			}
			if len(digits) > 8 && strings.Contains(err.Error(), digits[1:8]) {
				t.Errorf("the error shows digits of the key: %v", err)
			}
		})
	}
}

// edited returns the test vector with one field, named by its path, set to another value.
func edited(t testing.TB, value any, path ...string) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(vectorFile), &whole); err != nil {
		t.Fatal(err)
	}
	at := whole
	for _, field := range path[:len(path)-1] {
		at = at[field].(map[string]any)
	}
	at[path[len(path)-1]] = value
	content, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestHostileKeyFilesAreRefused(t *testing.T) {
	kdf := func(field string, value any) []byte {
		return edited(t, value, "crypto", "kdfparams", field)
	}
	tests := map[string][]byte{
		"empty":              {},
		"no object":          []byte("[]"),
		"truncated":          []byte(vectorFile[:len(vectorFile)/2]),
		"too large":          []byte(vectorFile + strings.Repeat(" ", maxFileSize)),
		"version":            edited(t, 1, "version"),
		"cipher":             edited(t, "aes-128-cbc", "crypto", "cipher"),
		"kdf":                edited(t, "pbkdf2", "crypto", "kdf"),
		"short iv":           edited(t, "00", "crypto", "cipherparams", "iv"),
		"short mac":          edited(t, "00", "crypto", "mac"),
		"no ciphertext":      edited(t, "", "crypto", "ciphertext"),
		"address of 2 bytes": edited(t, "0000", "address"),
		"address not hex":    edited(t, strings.Repeat("z", 40), "address"),
		"another address":    edited(t, strings.Repeat("0", 40), "address"),
		"dklen 0":            kdf("dklen", 0),
		"dklen 16":           kdf("dklen", 16),
		"dklen negative":     kdf("dklen", -1),
		"dklen huge":         kdf("dklen", 1<<40),
		"no salt":            kdf("salt", ""),
		"n 0":                kdf("n", 0),
		"n 1":                kdf("n", 1),
		"n negative":         kdf("n", -2),
		"n no power of two":  kdf("n", 1000),
		"n huge":             kdf("n", 1<<62),
		"n 2^20":             kdf("n", 1<<20),
		"r 0":                kdf("r", 0),
		"r huge":             kdf("r", 1<<62),
		"r 4096":             kdf("r", 4096),
		"p 0":                kdf("p", 0),
		"p huge":             kdf("p", 1<<62),
		"p 65":               kdf("p", 65),
		"p 16":               kdf("p", 16),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := newRing(t).Import("a", content, vectorPassword)
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("Import: %v, want ErrMalformed", err)
			}
		})
	}
}

// A person may give a plain private key where a key file belongs.
func TestErrorsDoNotQuoteTheInput(t *testing.T) {
	_, err := newRing(t).Import("a", []byte("\""+vectorSecret+"\""), vectorPassword)
	if !errors.Is(err, ErrMalformed) {
		t.Fatalf("Import: %v, want ErrMalformed", err)
	}
	if strings.Contains(err.Error(), vectorSecret[:6]) {
		t.Errorf("the error quotes the key: %v", err)
	}
}

// FuzzKeyFile: whatever the parser accepts is within the bounds, and decrypting it ends in a
// key or an error.
func FuzzKeyFile(f *testing.F) {
	f.Add([]byte(vectorFile))
	f.Add(edited(f, 2, "crypto", "kdfparams", "n"))
	f.Add(edited(f, "0x"+vectorAddress, "address"))
	f.Add([]byte(`{"version":3,"crypto":{"cipher":"aes-128-ctr","kdf":"scrypt"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		k, err := parseKeyFile(content)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error is not ErrMalformed: %v", err)
			}
			return
		}
		s := k.Crypto.KDFParams
		memory, work := float64(128)*float64(s.N)*float64(s.R), float64(s.N)*float64(s.R)*float64(s.P)
		if memory > maxScryptMemory || work > maxScryptWork {
			t.Fatalf("accepted n=%d r=%d p=%d", s.N, s.R, s.P)
		}
		if work > 1<<10 { // cheap ones only, so that the fuzzer gets somewhere
			return
		}
		if key, err := openKeyFile(content, vectorPassword); err == nil && key == nil {
			t.Fatal("no key and no error")
		}
	})
}
