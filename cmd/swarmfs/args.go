package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

const completionFlag = "--generate-bash-completion"

// sortArgs puts a command line into the order that the cli library understands: global options,
// the command, its options, "--", and the arguments. People may write them in any order, global
// options after the command included, and may join short options: rm -rf, mount -oro.
func sortArgs(app *cli.App, args []string) []string {
	if len(args) > 0 && args[len(args)-1] == completionFlag {
		return args // completion looks at the words as they stand
	}
	s := argSorter{global: app.Flags, commands: app.Commands}
	for len(args) > 0 {
		args = s.take(args)
	}
	return s.sorted()
}

type argSorter struct {
	global   []cli.Flag
	commands []*cli.Command // those that the next word may name
	flags    []cli.Flag     // of the command so far

	globals, path, options, arguments []string
}

// take sorts the first argument, with the value that belongs to it, and returns the rest.
func (s *argSorter) take(args []string) []string {
	arg, rest := args[0], args[1:]
	switch {
	case arg == "--":
		s.arguments = append(s.arguments, rest...)
		return nil
	case len(arg) > 1 && arg[0] == '-':
		return s.takeOption(arg, rest)
	case len(s.arguments) == 0 && s.descend(arg):
		return rest
	}
	s.arguments = append(s.arguments, arg)
	return rest
}

// descend follows a word that names a command.
func (s *argSorter) descend(word string) bool {
	i := slices.IndexFunc(s.commands, func(c *cli.Command) bool { return c.HasName(word) })
	if i < 0 {
		return false
	}
	s.path = append(s.path, word)
	s.flags, s.commands = s.commands[i].Flags, s.commands[i].Subcommands
	return true
}

func (s *argSorter) takeOption(arg string, rest []string) []string {
	name, _, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
	flag, to := s.find(name)
	if flag == nil {
		if cluster := s.split(arg); cluster != nil {
			return append(cluster, rest...)
		}
		s.options = append(s.options, arg) // the library says what is wrong with it
		return rest
	}
	*to = append(*to, arg)
	if !hasValue && takesValue(flag) && len(rest) > 0 {
		*to = append(*to, rest[0])
		return rest[1:]
	}
	return rest
}

// find looks a flag up, in the command first, and tells where it goes.
func (s *argSorter) find(name string) (flag cli.Flag, to *[]string) {
	if f := findFlag(s.flags, name); f != nil {
		return f, &s.options
	}
	if len(s.path) > 0 && slices.Contains(cli.HelpFlag.Names(), name) {
		return cli.HelpFlag, &s.options // of the command, not of the whole program
	}
	if f := findFlag(s.global, name); f != nil {
		return f, &s.globals
	}
	return nil, nil
}

// split takes joined short options apart: -lR is -l -R, and -oro is -o ro. It returns nil if any
// of them is unknown.
func (s *argSorter) split(arg string) []string {
	if strings.HasPrefix(arg, "--") || len(arg) < 3 {
		return nil
	}
	var parts []string
	for i, letter := range arg[1:] {
		flag, _ := s.find(string(letter))
		if flag == nil {
			return nil
		}
		parts = append(parts, "-"+string(letter))
		rest := arg[1+i+len(string(letter)):]
		if takesValue(flag) && rest != "" {
			return append(parts, rest)
		}
	}
	return parts
}

func (s *argSorter) sorted() []string {
	sorted := slices.Concat(s.globals, s.path, s.options)
	wantsHelp := slices.ContainsFunc(s.options, func(o string) bool { return o == "--help" || o == "-h" })
	if len(s.arguments) > 0 && !wantsHelp { // with arguments the library looks for help on them
		sorted = append(append(sorted, "--"), s.arguments...)
	}
	return sorted
}

func findFlag(flags []cli.Flag, name string) cli.Flag {
	i := slices.IndexFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if i < 0 {
		return nil
	}
	return flags[i]
}

func takesValue(flag cli.Flag) bool {
	documented, ok := flag.(cli.DocGenerationFlag)
	return ok && documented.TakesValue()
}
