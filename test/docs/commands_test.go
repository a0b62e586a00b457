package docs

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

// manual is what the program says of itself.
type manual struct {
	global   string            // help of the program
	commands map[string]string // help by command, "key list" for a subcommand
}

var (
	helpCommand = regexp.MustCompile(`(?m)^ {3,5}([a-z]+)(?:, [a-z]+)*  +\S`)
	helpFlag    = regexp.MustCompile(`--?[a-zA-Z][a-z-]*`)
)

func readManual(t *testing.T) manual {
	t.Helper()
	m := manual{global: help(t), commands: map[string]string{}}
	for _, name := range m.list(m.global) {
		m.commands[name] = help(t, name)
		for _, sub := range m.list(m.commands[name]) {
			m.commands[name+" "+sub] = help(t, name, sub)
		}
	}
	if len(m.commands) < 10 {
		t.Fatalf("found only the commands %v", m.commands)
	}
	return m
}

// list returns the names below COMMANDS.
func (m manual) list(text string) []string {
	_, text, _ = strings.Cut(text, "\nCOMMANDS:\n")
	text, _, _ = strings.Cut(text, "OPTIONS:\n")
	var names []string
	for _, match := range helpCommand.FindAllStringSubmatch(text, -1) {
		if match[1] != "help" {
			names = append(names, match[1])
		}
	}
	return names
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	out, err := exec.Command(harness.Binary(t), append(command, "--help")...).Output()
	if err != nil {
		t.Fatalf("swarmfs %v --help: %v", command, err)
	}
	return string(out)
}

// flags returns the options that a help text lists.
func flags(text string) []string {
	_, text, _ = strings.Cut(text, "OPTIONS:\n")
	var all []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "   -") {
			names, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			all = append(all, helpFlag.FindAllString(names, -1)...)
		}
	}
	return all
}

// complaint says what is wrong with a command line, "" if nothing is.
func (m manual) complaint(words []string) string {
	command := ""
	known := flags(m.global)
	for i, word := range words {
		switch {
		case word == "--":
			return ""
		case strings.HasPrefix(word, "-") && word != "-":
			name, _, _ := strings.Cut(word, "=")
			if !slices.Contains(known, name) && !joined(name, known) {
				return "no option " + name
			}
		case m.commands[strings.TrimSpace(command+" "+word)] != "":
			command = strings.TrimSpace(command + " " + word)
			known = append(known, flags(m.commands[command])...)
		case i == 0 && word != "COMMAND": // which stands for any of them
			return "no command " + word
		}
	}
	return ""
}

// joined tells whether an option is several short ones in one word, as -rf.
func joined(word string, known []string) bool {
	if strings.HasPrefix(word, "--") {
		return false
	}
	for _, letter := range word[1:] {
		if !slices.Contains(known, "-"+string(letter)) {
			return false
		}
	}
	return true
}

// invocation finds the words behind the program's name, up to what the shell takes for itself.
var invocation = regexp.MustCompile(`(?:^|[\s(/])swarmfs((?: +[^\s|;&)<>]+)+)`)

// headings quote messages.
var heading = regexp.MustCompile(`(?m)^#.*$`)

// commandLines returns the lines of a page that people would type.
func commandLines(text string) []string {
	lines := spans(heading.ReplaceAllString(fencedBlock.ReplaceAllString(text, ""), ""))
	for _, b := range blocks(text) {
		for _, line := range b.lines {
			typed, isPrompt := strings.CutPrefix(line, "$ ")
			switch {
			case b.language == "sh":
				line, _, _ = strings.Cut(line, " #")
				lines = append(lines, line)
			case b.language == "console" && isPrompt:
				lines = append(lines, typed)
			}
		}
	}
	return lines
}

func TestCommandsExist(t *testing.T) {
	m := readManual(t)
	found := 0
	for _, p := range pages(t) {
		for _, line := range commandLines(p.text) {
			for _, match := range invocation.FindAllStringSubmatch(line, -1) {
				found++
				if wrong := m.complaint(strings.Fields(match[1])); wrong != "" {
					t.Errorf("%s: %q: %s", p.name, line, wrong)
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d commands in the documents", found)
	}
}

// TestCommandsCheckFindsMistakes checks the check.
func TestCommandsCheckFindsMistakes(t *testing.T) {
	m := readManual(t)
	for _, c := range []struct{ line, want string }{
		{"ls -l /", ""},
		{"--volume photos mount -o ro /mnt", ""},
		{"rm -rf /x", ""},
		{"key import --file-password-file f alice", ""},
		{"lls /", "no command lls"},
		{"ls --repair /", "no option --repair"},
		{"ls -lX /", "no option -lX"},
	} {
		if got := m.complaint(strings.Fields(c.line)); got != c.want {
			t.Errorf("swarmfs %s: got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestOptionsExist(t *testing.T) {
	m := readManual(t)
	known := flags(m.global)
	for _, text := range m.commands {
		known = append(known, flags(text)...)
	}
	for _, p := range pages(t) {
		for _, span := range spans(p.text) {
			name, _, _ := strings.Cut(strings.Fields(span)[0], "=")
			if strings.HasPrefix(name, "--") && !slices.Contains(known, name) {
				t.Errorf("%s: no command has the option %s", p.name, name)
			}
		}
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	m := readManual(t)
	listed := firstColumn(section(t, read(t, "docs/operation.md"), "## Commands"))
	for name, text := range m.commands {
		if len(m.list(text)) == 0 && !slices.ContainsFunc(listed, func(s string) bool { return strings.HasPrefix(s+" ", name+" ") }) {
			t.Errorf("docs/operation.md does not list the command %q", name)
		}
	}
}

func TestMountOptionsAreDocumented(t *testing.T) {
	m := readManual(t)
	_, list, _ := strings.Cut(m.commands["mount"], "Mount options (-o): ")
	list, _, _ = strings.Cut(list, ", and those")
	offered := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \n=", r) })
	var documented []string
	for _, span := range firstColumn(section(t, read(t, "docs/operation.md"), "### Mount options")) {
		word, _, _ := strings.Cut(span, "=")
		documented = append(documented, word)
	}
	compare(t, "mount options", documented, offered)

	var known []string
	for _, name := range flags(m.commands["mount"]) {
		if strings.HasPrefix(name, "--") && name != "--help" {
			known = append(known, name)
		}
	}
	var flagsListed []string
	for _, span := range firstColumn(section(t, read(t, "docs/operation.md"), "### Flags of mount")) {
		if strings.HasPrefix(span, "--") {
			flagsListed = append(flagsListed, strings.Fields(span)[0])
		}
	}
	compare(t, "flags of mount", flagsListed, known)
}

// compare reports what is in one list only.
func compare(t *testing.T, what string, documented, real []string) {
	t.Helper()
	if len(real) == 0 {
		t.Errorf("%s: the program has none", what)
	}
	for _, name := range real {
		if !slices.Contains(documented, name) {
			t.Errorf("%s: %s is not documented", what, name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(real, name) {
			t.Errorf("%s: %s does not exist", what, name)
		}
	}
}
