package acl

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
)

func obj(tag Tag, perm uint16) Entry              { return Entry{tag, perm, UndefinedID} }
func named(tag Tag, id uint32, perm uint16) Entry { return Entry{tag, perm, id} }

// withUser is u::rw-,u:1000:rwx,g::r--,m::rwx,o::r--.
var withUser = ACL{obj(UserObj, 6), named(User, 1000, 7), obj(GroupObj, 4), obj(Mask, 7), obj(Other, 4)}

func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		acl   ACL
		valid bool
	}{
		{"minimal", FromMode(0o644), true},
		{"user", withUser, true},
		{"mask alone", ACL{obj(UserObj, 6), obj(GroupObj, 4), obj(Mask, 4), obj(Other, 4)}, true},
		{"group", ACL{obj(UserObj, 6), obj(GroupObj, 4), named(Group, 5, 4), obj(Mask, 4), obj(Other, 4)}, true},
		{"users out of order", ACL{obj(UserObj, 6), named(User, 9, 7), named(User, 1, 7), obj(GroupObj, 4), obj(Mask, 7), obj(Other, 4)}, true},
		{"one user twice", ACL{obj(UserObj, 6), named(User, 9, 7), named(User, 9, 7), obj(GroupObj, 4), obj(Mask, 7), obj(Other, 4)}, true},
		{"root", ACL{obj(UserObj, 6), named(User, 0, 7), obj(GroupObj, 4), obj(Mask, 7), obj(Other, 4)}, true},

		{"nothing", ACL{}, false},
		{"user without mask", ACL{obj(UserObj, 6), named(User, 9, 7), obj(GroupObj, 4), obj(Other, 4)}, false},
		{"group without mask", ACL{obj(UserObj, 6), obj(GroupObj, 4), named(Group, 9, 7), obj(Other, 4)}, false},
		{"no owner", ACL{obj(GroupObj, 4), obj(Other, 4)}, false},
		{"no owning group", ACL{obj(UserObj, 4), obj(Other, 4)}, false},
		{"no others", ACL{obj(UserObj, 4), obj(GroupObj, 4)}, false},
		{"owner twice", ACL{obj(UserObj, 6), obj(UserObj, 6), obj(GroupObj, 4), obj(Other, 4)}, false},
		{"mask twice", ACL{obj(UserObj, 6), obj(GroupObj, 4), obj(Mask, 4), obj(Mask, 4), obj(Other, 4)}, false},
		{"others twice", append(FromMode(0o644), obj(Other, 4)), false},
		{"user behind the group", ACL{obj(UserObj, 6), obj(GroupObj, 4), named(User, 9, 7), obj(Mask, 7), obj(Other, 4)}, false},
		{"mask before the group", ACL{obj(UserObj, 6), obj(Mask, 7), obj(GroupObj, 4), obj(Other, 4)}, false},
		{"permission bit 8", ACL{obj(UserObj, 8), obj(GroupObj, 4), obj(Other, 4)}, false},
		{"unknown tag", ACL{obj(UserObj, 6), obj(0x40, 4), obj(GroupObj, 4), obj(Other, 4)}, false},
		{"tag 0", append(FromMode(0o644), obj(0, 0)), false},
		{"user nobody", ACL{obj(UserObj, 6), named(User, UndefinedID, 7), obj(GroupObj, 4), obj(Mask, 7), obj(Other, 4)}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.acl.Validate()
			if (err == nil) != test.valid || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("Validate: %v", err)
			}
		})
	}
}

func TestEncodedForm(t *testing.T) {
	// What setfacl writes for withUser.
	const want = "02000000" +
		"01000600ffffffff" + "02000700e8030000" + "04000400ffffffff" + "10000700ffffffff" + "20000400ffffffff"
	value := withUser.Encode()
	if got := hex.EncodeToString(value); got != want {
		t.Errorf("Encode = %s, want %s", got, want)
	}
	if got, err := Parse(value); err != nil || !slices.Equal(got, withUser) {
		t.Errorf("Parse = %v, %v", got, err)
	}
}

func TestParse(t *testing.T) {
	minimal := FromMode(0o640).Encode()
	otherIDs := bytes.ReplaceAll(minimal, []byte{0xff, 0xff, 0xff, 0xff}, []byte{1, 2, 3, 4})
	tests := []struct {
		name  string
		value []byte
		want  ACL
		err   error
	}{
		{"empty removes", nil, nil, nil},
		{"header alone removes", []byte{2, 0, 0, 0}, nil, nil},
		{"minimal", minimal, FromMode(0o640), nil},
		{"ids that mean nothing", otherIDs, FromMode(0o640), nil},
		{"no header", []byte{2, 0, 0}, nil, ErrInvalid},
		{"version 1", []byte{1, 0, 0, 0}, nil, ErrVersion},
		{"half an entry", minimal[:len(minimal)-4], nil, ErrInvalid},
		{"not all entries", minimal[:len(minimal)-8], nil, ErrInvalid},
		{"more than an entry", append(bytes.Clone(minimal), 0), nil, ErrInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(test.value)
			if !slices.Equal(got, test.want) || !errors.Is(err, test.err) {
				t.Errorf("Parse = %v, %v; want %v, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestEquivMode(t *testing.T) {
	tests := []struct {
		name  string
		acl   ACL
		perm  uint32
		exact bool
	}{
		{"minimal", FromMode(0o751), 0o751, true},
		{"mask shows in place of the group", withUser, 0o674, false},
		{"mask alone", ACL{obj(UserObj, 7), obj(GroupObj, 5), obj(Mask, 1), obj(Other, 0)}, 0o710, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if perm, exact := test.acl.EquivMode(); perm != test.perm || exact != test.exact {
				t.Errorf("EquivMode = %o, %v; want %o, %v", perm, exact, test.perm, test.exact)
			}
		})
	}
}

func TestChmod(t *testing.T) {
	tests := []struct {
		name string
		acl  ACL
		mode uint32
		want ACL
	}{
		{"minimal", FromMode(0o644), 0o4751, FromMode(0o751)},
		{
			"group bits go to the mask", withUser, 0o100,
			ACL{obj(UserObj, 1), named(User, 1000, 7), obj(GroupObj, 4), obj(Mask, 0), obj(Other, 0)},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := slices.Clone(test.acl)
			if got := test.acl.Chmod(test.mode); !slices.Equal(got, test.want) {
				t.Errorf("Chmod = %v, want %v", got, test.want)
			}
			if !slices.Equal(test.acl, before) {
				t.Error("Chmod changed its receiver")
			}
		})
	}
}

func TestCreate(t *testing.T) {
	tests := []struct {
		name     string
		acl      ACL
		mode     uint32
		access   ACL
		modeWant uint32
	}{
		{"only a mode", FromMode(0o750), 0o100666, nil, 0o100640},
		{"setgid stays", FromMode(0o777), 0o42755, nil, 0o42755},
		{
			"mask restricts the group bits", withUser, 0o100640,
			ACL{obj(UserObj, 6), named(User, 1000, 7), obj(GroupObj, 4), obj(Mask, 4), obj(Other, 0)},
			0o100640,
		},
		{
			"group bits may exceed the owning group", withUser, 0o100777,
			withUser, 0o100674,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := slices.Clone(test.acl)
			access, mode := test.acl.Create(test.mode)
			if !slices.Equal(access, test.access) || mode != test.modeWant {
				t.Errorf("Create = %v, %o; want %v, %o", access, mode, test.access, test.modeWant)
			}
			if !slices.Equal(test.acl, before) {
				t.Error("Create changed its receiver")
			}
		})
	}
}

// FuzzParse: what is accepted is valid and encodes to what it was read from, up to the IDs that
// mean nothing.
func FuzzParse(f *testing.F) {
	f.Add(withUser.Encode())
	f.Add(FromMode(0o644).Encode())
	f.Add([]byte{2, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, value []byte) {
		a, err := Parse(value)
		if err != nil {
			if a != nil {
				t.Fatal("an ACL beside an error")
			}
			return
		}
		if a == nil {
			return
		}
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		encoded := a.Encode()
		if len(encoded) != len(value) {
			t.Fatalf("%d bytes became %d", len(value), len(encoded))
		}
		if again, err := Parse(encoded); err != nil || !slices.Equal(again, a) {
			t.Fatalf("%v became %v, %v", a, again, err)
		}
	})
}
