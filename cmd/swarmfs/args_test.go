package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestArgumentsMayStandInAnyOrder(t *testing.T) {
	tests := []struct{ typed, sorted string }{
		{"ls /a", "ls -- /a"},
		{"ls /a -l", "ls -l -- /a"},
		{"ls /a -lR", "ls -l -R -- /a"},
		{"ls -laR /a", "ls -l -a -R -- /a"},
		{"ls /a --volume photos", "--volume photos ls -- /a"},
		{"ls --volume=photos /a", "--volume=photos ls -- /a"},
		{"--volume photos ls /a", "--volume photos ls -- /a"},
		{"rm -rf /a", "rm -r -f -- /a"},
		{"rm /a /b -r", "rm -r -- /a /b"},
		{"rm -- -r", "rm -- -r"},
		{"rm -r -- -f --volume", "rm -r -- -f --volume"},
		{"cat ls", "cat -- ls"},
		{"cat help", "cat -- help"},
		{"put - /a", "put -- - /a"},
		{"put x /a -m 600", "put -m 600 -- x /a"},
		{"put x /a -m600", "put -m 600 -- x /a"},
		{"mount /mnt -oro,noatime", "mount -o ro,noatime -- /mnt"},
		{"mount /mnt -fo ro", "mount -f -o ro -- /mnt"},
		{"mount /mnt -fro", "mount -f -r -o -- /mnt"},
		{"mount /mnt --options=ro -r", "mount --options=ro -r -- /mnt"},
		{"key export alice --store /s", "--store /s key export -- alice"},
		{"key --store /s list --json", "--store /s key list --json"},
		{"key import --file-password-file p alice f", "key import --file-password-file p -- alice f"},
		{"umount --lazy /mnt", "umount --lazy -- /mnt"},
		{"--lazy umount /mnt", "umount --lazy -- /mnt"},
		{"ls --help /a", "ls --help"},
		{"ls /a -h", "ls -h"},
		{"--help", "--help"},
		{"help ls", "help -- ls"},
		{"ls --nonsense /a", "ls --nonsense -- /a"},
		{"ls -lX /a", "ls -lX -- /a"},
		{"nonsense -x", "-x -- nonsense"},
		{"ls /a --volume", "--volume ls -- /a"},
		{"ls - --generate-bash-completion", "ls - --generate-bash-completion"},
	}
	app := (&program{stdout: io.Discard, stderr: io.Discard}).app()
	app.Setup()
	for _, test := range tests {
		t.Run(test.typed, func(t *testing.T) {
			got := sortArgs(app, strings.Fields(test.typed))
			if want := strings.Fields(test.sorted); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// FuzzSortArgs: what follows "--" comes through as it is, in its order.
func FuzzSortArgs(f *testing.F) {
	app := (&program{stdout: io.Discard, stderr: io.Discard}).app()
	app.Setup()
	f.Add("ls -la --volume x", "-r /a")
	f.Add("mount -oro -f", "--")
	f.Add("key import -", "é -é")
	f.Fuzz(func(t *testing.T, words, behind string) {
		arguments := strings.Split(behind, " ")
		if arguments[len(arguments)-1] == completionFlag {
			return
		}
		before := slices.DeleteFunc(strings.Fields(words), func(w string) bool {
			return w == "--" || w == "-h" || w == "--help" || strings.HasPrefix(w, "-") && strings.Contains(w, "h")
		})
		// A value's place is taken by "--" if an option is last.
		got := sortArgs(app, slices.Concat(before, []string{"x", "--"}, arguments))
		if len(got) < len(arguments) || !slices.Equal(got[len(got)-len(arguments):], arguments) {
			t.Errorf("%q -- %q became %q", before, arguments, got)
		}
	})
}
