package main

import (
	"os/exec"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

func TestCompletionScripts(t *testing.T) {
	s := newShell(t)
	for shell, has := range map[string]string{"bash": "complete -o", "zsh": "compdef", "fish": "complete -c swarmfs"} {
		if script := s.run("completion", shell); !strings.Contains(script, has) {
			t.Errorf("completion %s printed %q", shell, script)
		}
	}
	s.fails(exitUsage, "which shell", "completion", "csh")
}

// TestBashCompletes runs the script in a bash whose word so far is "re", after "volume".
func TestBashCompletes(t *testing.T) {
	bash := harness.RequireProgram(t, "bash", "bash")
	const driver = `
swarmfs() { printf 'create\nlist\nremove\n'; [[ "$1 $2 $#" == "volume --generate-bash-completion 2" ]] || echo "remote: $*"; }
COMP_WORDS=(swarmfs volume re) COMP_CWORD=2
_swarmfs
printf '%s\n' "${COMPREPLY[@]}"`
	output, err := exec.Command(bash, "-c", strings.ReplaceAll(bashCompletion, "complete -o", ": complete -o")+driver).CombinedOutput()
	if err != nil || string(output) != "remove\n" {
		t.Errorf("bash completed %q, %v", output, err)
	}
}

// The library looks at the arguments of the process, so this takes processes.
func TestCommandsNameTheirCompletions(t *testing.T) {
	s := mountShell{shell: newShell(t)}
	if got := s.run("volume", completionFlag); !strings.Contains(got, "create\n") || !strings.Contains(got, "remove\n") {
		t.Errorf("after volume may come %q", got)
	}
	if got := s.run("ls", "-", completionFlag); !strings.Contains(got, "--recursive") {
		t.Errorf("after ls - may come %q", got)
	}
}

func TestManualPage(t *testing.T) {
	page := newShell(t).run("man")
	for _, part := range []string{".TH swarmfs 1", "umount", "nowriteback", "volume create photos"} {
		if !strings.Contains(page, part) {
			t.Errorf("the manual page lacks %q", part)
		}
	}
}

func TestEveryCommandHasExamples(t *testing.T) {
	s := newShell(t)
	for _, command := range (&program{}).app().Commands {
		names := [][]string{{command.Name}}
		if len(command.Subcommands) > 0 {
			names = nil
			for _, sub := range command.Subcommands {
				names = append(names, []string{command.Name, sub.Name})
			}
		}
		for _, name := range names {
			if help := s.run(append(name, "--help")...); !strings.Contains(help, "EXAMPLES:\n   swarmfs") && !strings.Contains(help, "EXAMPLES:\n   source") {
				t.Errorf("%s --help shows %q", strings.Join(name, " "), help)
			}
		}
	}
}
