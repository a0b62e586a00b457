package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func (p *program) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "write the completion script of a shell",
		ArgsUsage: "bash|zsh|fish",
		UsageText: examples(
			"source <(swarmfs completion bash)",
			"swarmfs completion zsh > \"${fpath[1]}/_swarmfs\"",
			"swarmfs completion fish > ~/.config/fish/completions/swarmfs.fish",
		),
		Action: func(c *cli.Context) error {
			switch shell := c.Args().First(); shell {
			case "bash":
				p.printf("%s", bashCompletion)
			case "zsh":
				p.printf("%s", zshCompletion)
			case "fish":
				script, err := c.App.ToFishCompletion()
				if err != nil {
					return fmt.Errorf("fish completion: %w", err)
				}
				p.printf("%s", script)
			default:
				return usagef(c, "which shell? bash, zsh or fish")
			}
			return nil
		},
		BashComplete: func(*cli.Context) { p.printf("bash\nzsh\nfish\n") },
	}
}

// The scripts ask the program itself for the words that may come next. Where it knows none, as
// after the name of a command that takes files, the shell completes file names.
const bashCompletion = `# bash completion for swarmfs
_swarmfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
	[[ $cur == -* ]] && words+=("$cur")
	local IFS=$'\n'
	COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _swarmfs swarmfs
`

const zshCompletion = `#compdef swarmfs
# zsh completion for swarmfs
_swarmfs() {
	local -a known words_before
	words_before=("${(@)words[1,CURRENT-1]}")
	[[ ${words[CURRENT]} == -* ]] && words_before+=("${words[CURRENT]}")
	known=("${(@f)$(_CLI_ZSH_AUTOCOMPLETE_HACK=1 "${words_before[@]}" --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${known[1]} ]]; then
		_describe 'swarmfs' known
	else
		_files
	fi
}
if [ "$funcstack[1]" = "_swarmfs" ]; then
	_swarmfs "$@"
else
	compdef _swarmfs swarmfs
fi
`
