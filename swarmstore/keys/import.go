package keys

import (
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ethersphere/bee/v2/pkg/crypto"
)

// Import decrypts a key file made elsewhere with its password and stores the key under a new
// name, encrypted with the ring's password.
func (r *Ring) Import(name string, content []byte, password string) ([AddressSize]byte, error) {
	if err := r.checkNew(name); err != nil {
		return [AddressSize]byte{}, err
	}
	key, err := openKeyFile(content, password)
	if err != nil {
		return [AddressSize]byte{}, fmt.Errorf("import key %q: %w", name, err)
	}
	return r.add(name, given{crypto.EDGSecp256_K1, key})
}

// ImportHex stores a private key, written as 64 hexadecimal digits with or without 0x before
// them, under a new name.
func (r *Ring) ImportHex(name, digits string) ([AddressSize]byte, error) {
	secret, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(digits), "0x"))
	if err != nil || len(secret) != secretSize { // the error would quote a digit of the key
		return [AddressSize]byte{}, fmt.Errorf("import key %q: %w: want %d hexadecimal digits", name, ErrMalformed, 2*secretSize)
	}
	key, err := decodeSecret(secret)
	if err != nil {
		return [AddressSize]byte{}, fmt.Errorf("import key %q: %w", name, err)
	}
	return r.add(name, given{crypto.EDGSecp256_K1, key})
}

// openKeyFile decrypts a key file that may come from anybody.
func openKeyFile(content []byte, password string) (*ecdsa.PrivateKey, error) {
	parsed, err := parseKeyFile(content)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "swarmfs-key-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)

	// Bee's keystore reads files only. It gets what was validated rather than the bytes that
	// came, so that both cannot read them differently.
	validated, err := json.Marshal(parsed)
	if err != nil {
		return nil, errors.New("encode key file")
	}
	const name = "import"
	if err := os.WriteFile(keyPath(scratch, name), validated, fileMode); err != nil {
		return nil, err
	}
	key, err := decrypt(scratch, name, password)
	if err != nil {
		return nil, err
	}
	if parsed.Address == "" { // optional in the format
		return key, nil
	}
	return key, parsed.checkAddress(key)
}
