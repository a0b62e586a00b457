package tools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The Go toolchain builds with its cache, its work directory and its output on
// a mount: it locks, maps and executes files there.
func TestGoBuild(t *testing.T) {
	fs := mount(t)
	dir := func(name string) string {
		path := filepath.Join(fs.Dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	env := []string{"GOCACHE=" + dir("cache"), "GOTMPDIR=" + dir("tmp"), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly"}
	// This module takes minutes on a cold cache.
	program := scaled("cmd/gofmt", "swarmfs/cmd/swarmfs")
	out := filepath.Join(fs.Dir, "program")
	build := command{env: env, args: []string{"go", "build", "-o", out, program}}
	build.run(t)
	run(t, "", out, scaled("-l", "--help"), "golang_test.go")

	// Nothing is built again: the cache on the mount is whole.
	build.args = []string{"go", "build", "-x", "-o", out, program}
	if steps := build.run(t); strings.Contains(steps, "/compile ") {
		t.Errorf("the second build compiles again:\n%s", tail(steps))
	}
	fs.Remount(t)
	if steps := build.run(t); strings.Contains(steps, "/compile ") {
		t.Errorf("the build after a new mount compiles again:\n%s", tail(steps))
	}
}
