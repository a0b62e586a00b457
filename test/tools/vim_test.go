package tools

import (
	"os"
	"path/filepath"
	"testing"

	"swarmfs/test/harness"
)

// vim saves a file by renaming or by copying the old one to a backup; either
// way the text is saved, the mode stays, and nothing is left behind.
func TestVimSave(t *testing.T) {
	harness.RequireProgram(t, "vim", "vim")
	fs := mount(t)
	for _, backup := range []string{"yes", "no", "auto", "auto,breakhardlink"} {
		t.Run("backupcopy="+backup, func(t *testing.T) {
			dir, err := os.MkdirTemp(fs.Dir, "vim-")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "text")
			if err := os.WriteFile(path, []byte("one\ntwo\n"), 0o640); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				run(t, dir, "vim", "-Nu", "NONE", "-es", "-c", "set writebackup swapfile fsync backupcopy="+backup,
					"-c", "normal! Gothree", "-c", "wq", "text")
			}
			got, err := os.ReadFile(path)
			if want := "one\ntwo\nthree\nthree\nthree\n"; err != nil || string(got) != want {
				t.Errorf("the text is %q, %v, want %q", got, err, want)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != 0o640 {
				t.Errorf("mode %v, want 0640", info.Mode())
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}
