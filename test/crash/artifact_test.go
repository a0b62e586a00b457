package crash

import (
	"os"
	"path/filepath"
	"testing"
)

// saveStore copies the store of a failed test to its artifacts, which go test
// keeps with -artifacts.
func saveStore(t *testing.T, store string) {
	t.Helper()
	to := filepath.Join(t.ArtifactDir(), "store")
	if err := os.CopyFS(to, os.DirFS(store)); err != nil {
		t.Logf("saving the store: %v", err)
		return
	}
	t.Logf("the store was saved to %s", to)
}
