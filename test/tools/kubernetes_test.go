package tools

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	kubernetes     = "k8s.io/kubernetes@v1.36.3"
	kubernetesLibs = "v0.36.3"
	// How many tests the AtomicWriter of that version has: fewer would mean
	// that some did not run.
	atomicWriterTests = 10
)

// Kubernetes' own tests of its AtomicWriter, which updates the projected files
// of a volume by symbolic links and renames, pass with their files on a mount.
func TestKubernetesAtomicWriter(t *testing.T) {
	tests := buildAtomicWriterTests(t)
	fs := mount(t)
	out := command{env: []string{"TMPDIR=" + fs.Dir}, args: []string{tests, "-test.v"}}.run(t)
	if n := strings.Count(out, "\n--- PASS: "); n < atomicWriterTests {
		t.Errorf("%d tests passed, want %d:\n%s", n, atomicWriterTests, tail(out))
	}
}

// buildAtomicWriterTests builds the tests in a module of their own, because
// kubernetes itself is not made to be imported.
func buildAtomicWriterTests(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var module struct{ Dir string }
	described := run(t, dir, "go", "mod", "download", "-json", kubernetes)
	if err := json.Unmarshal([]byte(described), &module); err != nil {
		t.Fatalf("%v in %s", err, described)
	}
	sources, err := filepath.Glob(filepath.Join(module.Dir, "pkg/volume/util/atomic_writer*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no AtomicWriter in %s: %v", module.Dir, err)
	}
	for _, src := range sources {
		text, err := os.ReadFile(src)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(src)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "go", "mod", "init", "atomicwriter")
	run(t, dir, "go", "mod", "edit", "-require=k8s.io/apimachinery@"+kubernetesLibs, "-require=k8s.io/client-go@"+kubernetesLibs)
	run(t, dir, "go", "mod", "tidy")
	tests := filepath.Join(dir, "atomicwriter.test")
	run(t, dir, "go", "test", "-c", "-o", tests, ".")
	return tests
}
