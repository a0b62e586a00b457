package crash

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

// saveStore copies the store of a failed test to its artifacts, which go test
// keeps with -artifacts.
func saveStore(t *testing.T, store string) {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
		t.Log("-artifacts would keep the store")
		return
	}
	to := filepath.Join(t.ArtifactDir(), "store")
	if err := os.CopyFS(to, os.DirFS(store)); err != nil {
		t.Logf("saving the store: %v", err)
		return
	}
	t.Logf("the store was saved to %s", to)
}
