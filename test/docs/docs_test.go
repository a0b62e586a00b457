// Package docs checks that README.md and docs/ say what the program does: that
// the commands, options, targets, messages and names they mention exist, that
// the worked examples of the format come out as printed, and that the tour of
// the README works and prints what is shown there.
//
//	go test ./test/docs                     # check
//	go test ./test/docs -run Tour -update   # put the output of a new tour into the README
//
// It does not judge prose: a sentence that names nothing is not checked.
package docs

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(harness.Main(m))
}

// root is the checkout, seen from this package.
const root = "../.."

// page is one document.
type page struct {
	name string // from the root of the checkout
	text string
}

// pages returns the README and everything in docs.
func pages(t *testing.T) []page {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("there are no documents")
	}
	var all []page
	for _, path := range append(paths, filepath.Join(root, "README.md")) {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page{name, read(t, name)})
	}
	return all
}

// read returns a file of the checkout.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section returns what stands below a heading, up to the next one of its level or above.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	level := heading[:strings.Index(heading, " ")]
	_, after, ok := strings.Cut("\n"+text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("there is no section %q", heading)
	}
	inBlock := false
	lines := strings.Split(after, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "```") {
			inBlock = !inBlock
		}
		hashes := line[:len(line)-len(strings.TrimLeft(line, "#"))]
		if !inBlock && hashes != "" && len(hashes) <= len(level) {
			return strings.Join(lines[:i], "\n")
		}
	}
	return after
}

// block is a fenced block of a page.
type block struct {
	language string
	lines    []string
	first    int // index of its first line among those of the page
}

func blocks(text string) []block {
	var all []block
	var open *block
	for i, line := range strings.Split(text, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{language: language, first: i + 1}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		}
	}
	return all
}

var (
	fencedBlock = regexp.MustCompile("(?s)```.*?\n```")
	codeSpan    = regexp.MustCompile("`([^`\n]+)`")
)

// spans returns the code within the running text.
func spans(text string) []string {
	var all []string
	for _, match := range codeSpan.FindAllStringSubmatch(fencedBlock.ReplaceAllString(text, ""), -1) {
		all = append(all, match[1])
	}
	return all
}

// firstColumn returns the code in the first column of the tables of a text.
func firstColumn(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if cell, ok := strings.CutPrefix(line, "| "); ok {
			cell, _, _ = strings.Cut(cell, " |")
			all = append(all, spans(cell)...)
		}
	}
	return all
}
