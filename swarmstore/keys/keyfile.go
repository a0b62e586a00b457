package keys

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"strings"

	"github.com/ethersphere/bee/v2/pkg/crypto"
	"github.com/ethersphere/bee/v2/pkg/keystore"
	"github.com/ethersphere/bee/v2/pkg/keystore/file"
)

// Bounds of what a key file may ask of us. Wallets use up to N=2^18, r=8, p=1, which takes
// 256 MiB and about a second; whatever asks for more would hang or exhaust the program.
const (
	maxFileSize     = 16 << 10    // bytes; usual files have 500
	maxScryptMemory = 256 << 20   // bytes: 128·N·r
	maxScryptWork   = 1 << 18 * 8 // N·r·p
	maxScryptP      = 64
	maxSaltSize     = 1 << 10

	// The parts of the derived key, the cipher and the hash have one size each, and bee's
	// keystore relies on it without looking.
	derivedKeySize = 32
	ivSize         = 16
	secretSize     = 32
	macSize        = 32
)

// keyFile is a Web3 secret storage file. Its fields are those that bee's keystore reads.
type keyFile struct {
	Address string `json:"address"`
	Crypto  struct {
		Cipher       string `json:"cipher"`
		CipherText   string `json:"ciphertext"`
		CipherParams struct {
			IV string `json:"iv"`
		} `json:"cipherparams"`
		KDF       string `json:"kdf"`
		KDFParams struct {
			N     int    `json:"n"`
			R     int    `json:"r"`
			P     int    `json:"p"`
			DKLen int    `json:"dklen"`
			Salt  string `json:"salt"`
		} `json:"kdfparams"`
		MAC string `json:"mac"`
	} `json:"crypto"`
	Version int    `json:"version"`
	ID      string `json:"id"`
}

// parseKeyFile reads a key file and makes sure that decrypting it is safe and cheap enough.
func parseKeyFile(content []byte) (*keyFile, error) {
	if len(content) > maxFileSize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, maxFileSize)
	}
	var k keyFile
	if err := json.Unmarshal(content, &k); err != nil {
		// The decoder's own text may quote the file, which may be a plain key given by mistake.
		return nil, fmt.Errorf("%w: not a JSON object of the version 3 form", ErrMalformed)
	}
	if err := k.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return &k, nil
}

func (k *keyFile) validate() error {
	switch {
	case k.Version != 3:
		return fmt.Errorf("version %d, want 3", k.Version)
	case k.Crypto.Cipher != "aes-128-ctr":
		return errors.New("its cipher is not aes-128-ctr")
	case k.Crypto.KDF != "scrypt":
		return errors.New("its key derivation is not scrypt")
	case hexSize(k.Crypto.CipherText) != secretSize:
		return fmt.Errorf("ciphertext: want %d bytes in hexadecimal digits", secretSize)
	case hexSize(k.Crypto.CipherParams.IV) != ivSize:
		return fmt.Errorf("iv: want %d bytes in hexadecimal digits", ivSize)
	case hexSize(k.Crypto.MAC) != macSize:
		return fmt.Errorf("mac: want %d bytes in hexadecimal digits", macSize)
	}
	if k.Address != "" {
		if _, err := k.address(); err != nil {
			return err
		}
	}
	return k.validateScrypt()
}

func (k *keyFile) validateScrypt() error {
	s := k.Crypto.KDFParams
	switch salt := hexSize(s.Salt); {
	case salt < 1 || salt > maxSaltSize:
		return fmt.Errorf("salt: want 1 to %d bytes in hexadecimal digits", maxSaltSize)
	case s.DKLen != derivedKeySize:
		return fmt.Errorf("dklen: want %d", derivedKeySize)
	case s.N < 2 || bits.OnesCount(uint(s.N)) != 1:
		return errors.New("scrypt n: want a power of two")
	case s.R < 1 || s.P < 1 || s.P > maxScryptP:
		return fmt.Errorf("scrypt r and p: want at least 1, and p at most %d", maxScryptP)
	// Divided, not multiplied, so that huge numbers cannot overflow.
	case s.N > maxScryptMemory/128/s.R:
		return fmt.Errorf("scrypt n and r ask for more than %d MiB of memory", maxScryptMemory>>20)
	case s.N > maxScryptWork/s.R/s.P:
		return errors.New("scrypt n, r and p ask for too much work")
	}
	return nil
}

// hexSize tells how many bytes the digits stand for, -1 if they are not hexadecimal digits.
func hexSize(digits string) int {
	b, err := hex.DecodeString(digits)
	if err != nil {
		return -1
	}
	return len(b)
}

// address reads the address that the file claims.
func (k *keyFile) address() ([AddressSize]byte, error) {
	var addr [AddressSize]byte
	digits := strings.TrimPrefix(k.Address, "0x") // some wallets write the prefix
	if len(digits) != 2*AddressSize {
		return addr, fmt.Errorf("%w: address: want %d hexadecimal digits", ErrMalformed, 2*AddressSize)
	}
	if _, err := hex.Decode(addr[:], []byte(digits)); err != nil {
		return [AddressSize]byte{}, fmt.Errorf("%w: address: not hexadecimal digits", ErrMalformed)
	}
	return addr, nil
}

// checkAddress makes sure that the file's address is that of the key inside.
func (k *keyFile) checkAddress(key *ecdsa.PrivateKey) error {
	want, err := k.address()
	if err != nil {
		return err
	}
	got, err := addressOf(key)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%w: its address is not that of the key inside", ErrMalformed)
	}
	return nil
}

func addressOf(key *ecdsa.PrivateKey) ([AddressSize]byte, error) {
	addr, err := crypto.NewEthereumAddress(key.PublicKey)
	if err != nil {
		return [AddressSize]byte{}, fmt.Errorf("address of key: %w", err)
	}
	return [AddressSize]byte(addr), nil
}

func readKeyFile(path string) (*keyFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	return parseKeyFile(content)
}

// decrypt reads the key of that name in dir, a file that was validated before.
func decrypt(dir, name, password string) (*ecdsa.PrivateKey, error) {
	key, _, err := file.New(dir).Key(name, password, existing{crypto.EDGSecp256_K1})
	if errors.Is(err, keystore.ErrInvalidPassword) {
		return nil, ErrPassword
	}
	return key, err
}

// existing keeps bee's keystore from generating a key in place of a file that vanished, and
// refuses secrets that are no private key.
type existing struct{ keystore.EDG }

func (existing) Generate() (*ecdsa.PrivateKey, error) { return nil, ErrNotFound }

func (existing) Decode(secret []byte) (*ecdsa.PrivateKey, error) { return decodeSecret(secret) }

// given stores a key that is already there where bee's keystore would generate one.
type given struct {
	keystore.EDG
	key *ecdsa.PrivateKey
}

func (g given) Generate() (*ecdsa.PrivateKey, error) { return g.key, nil }

// decodeSecret turns 32 bytes into a private key. Bee's own decoder reduces numbers beyond the
// curve's order silently, and takes zero.
func decodeSecret(secret []byte) (*ecdsa.PrivateKey, error) {
	key, err := crypto.EDGSecp256_K1.Decode(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: the secret inside has the wrong size", ErrMalformed)
	}
	encoded, err := crypto.EDGSecp256_K1.Encode(key)
	if err != nil {
		return nil, fmt.Errorf("%w: the secret inside is not a private key", ErrMalformed)
	}
	if !bytes.Equal(encoded, secret) || bytes.Equal(encoded, make([]byte, secretSize)) {
		return nil, fmt.Errorf("%w: the secret inside is not a private key", ErrMalformed)
	}
	return key, nil
}
