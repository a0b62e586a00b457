package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sources returns the text of the files below some folders of the checkout, without tests.
func sources(t *testing.T, folders ...string) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

func TestMakeTargetsExist(t *testing.T) {
	makefile := read(t, "Makefile")
	target := regexp.MustCompile(`(?:^|\s)make ((?:[A-Z]+=\S+ )*)(?:-s )?([a-z-]+)((?: [A-Z]+=\S+)*)`)
	variable := regexp.MustCompile(`([A-Z]+)=`)
	for _, p := range pages(t) {
		for _, line := range commandLines(p.text) {
			for _, match := range target.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(makefile, "\n"+match[2]+":") {
					t.Errorf("%s: %q: no target %s", p.name, line, match[2])
				}
				for _, v := range variable.FindAllStringSubmatch(match[1]+match[3], -1) {
					if v[1] != "DESTDIR" && !regexp.MustCompile(`(?m)^`+v[1]+` `).MatchString(makefile) {
						t.Errorf("%s: %q: no variable %s", p.name, line, v[1])
					}
				}
			}
		}
	}
}

func TestVariablesOfTheEnvironmentExist(t *testing.T) {
	known := sources(t, "cmd", "scripts", "test/harness")
	name := regexp.MustCompile(`SWARMFS_[A-Z_]+`)
	for _, p := range pages(t) {
		for _, found := range name.FindAllString(p.text, -1) {
			if !strings.Contains(known, found) {
				t.Errorf("%s: nothing reads %s", p.name, found)
			}
		}
	}
}

func TestMetricsExist(t *testing.T) {
	known := sources(t, "fusefs")
	found := 0
	for _, span := range firstColumn(section(t, read(t, "docs/operation.md"), "## Metrics and health")) {
		name, ok := strings.CutPrefix(span, "swarmfs_fuse_")
		if !ok {
			continue
		}
		found++
		if !strings.Contains(known, `"`+name+`"`) {
			t.Errorf("there is no metric %s", span)
		}
	}
	if found == 0 {
		t.Error("no metrics are documented")
	}
}

// TestMessagesExist: the headings of the troubleshooting page quote the fixed part of a message. Those of
// the kernel and of other programs stand there without being set as code.
func TestMessagesExist(t *testing.T) {
	known := sources(t, "cmd", "fusefs", "swarmstore", "scripts")
	found := 0
	for line := range strings.Lines(read(t, "docs/troubleshooting.md")) {
		if !strings.HasPrefix(line, "### ") {
			continue
		}
		for _, message := range spans(line) {
			found++
			if !strings.Contains(known, message) {
				t.Errorf("the program never says %q", message)
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d messages", found)
	}
}

func TestTablesOfTheDatabaseAreDocumented(t *testing.T) {
	var real []string
	for _, match := range regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(read(t, "swarmstore/meta/schema.go"), -1) {
		real = append(real, match[1])
	}
	compare(t, "tables", firstColumn(section(t, read(t, "docs/format.md"), "## Local database")), real)
}

// TestCodeMapIsComplete compares the folders that the code map lists with those that hold Go files.
func TestCodeMapIsComplete(t *testing.T) {
	var real []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		if err == nil && !slices.Contains(real, name) {
			real = append(real, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "packages", firstColumn(section(t, read(t, "docs/development.md"), "## Code map")), real)
}

func TestFoldersOfTheReadmeExist(t *testing.T) {
	listed := firstColumn(section(t, read(t, "README.md"), "## Layout of the source"))
	if len(listed) == 0 {
		t.Error("the README lists no folders")
	}
	for _, name := range listed {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, p := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(p.text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := p.name
			if target != "" {
				file = filepath.Join(filepath.Dir(p.name), target)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: link to %s: %v", p.name, match[1], err)
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s: link to %s: no such heading", p.name, match[1])
			}
		}
	}
}

// anchors returns the names that headings can be linked by.
func anchors(text string) []string {
	dropped := regexp.MustCompile(`[^a-z0-9 _-]`)
	var all []string
	for line := range strings.Lines(text) {
		if heading := strings.TrimLeft(line, "#"); heading != line {
			name := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all = append(all, strings.ReplaceAll(name, " ", "-"))
		}
	}
	return all
}
