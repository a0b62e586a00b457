package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// isTerminal tells whether a person is likely to look at a stream.
func isTerminal(stream io.Writer) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// displayName is a name as it may be shown: names come from other people, and what a terminal
// would take for a command to itself is quoted there, as ls does. Scripts get names as they are.
func (p *program) displayName(name string) string {
	if !isTerminal(p.stdout) {
		return name
	}
	return quoteUnprintable(name)
}

func quoteUnprintable(name string) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(name) && !strings.ContainsFunc(name, unprintable) {
		return name
	}
	return strconv.Quote(name)
}

func (p *program) printJSON(value any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
