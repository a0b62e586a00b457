// Package keys keeps the private keys of a store: one file per key, in the Web3 secret storage
// format (version 3, scrypt) that Ethereum wallets and Bee nodes read and write.
//
// A Ring is a directory of such files, `<name>.key`. Directories are created with mode 0700 and
// files with mode 0600; a key file appears complete or not at all, and an existing one is never
// overwritten. Several processes may use one directory.
//
// The password that encrypts the files comes from a PasswordFunc, which is asked only when a key
// is encrypted or decrypted: listing keys and telling their addresses needs none. FilePassword is
// the one for unattended use.
//
// The package does not log, and neither its errors nor its results hold a password or a private
// key, save what Key and Export are for. It does not keep decrypted keys in memory.
package keys
