package main

import (
	"io"
	"log/slog"

	"github.com/urfave/cli/v2"
)

// logLevel reads --log-level.
func logLevel(c *cli.Context) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String(flagLogLevel))); err != nil {
		return 0, usagef(c, "--log-level %q: want debug, info, warn or error", c.String(flagLogLevel))
	}
	return level, nil
}

func (p *program) logger(c *cli.Context) (*slog.Logger, error) {
	level, err := logLevel(c)
	if err != nil {
		return nil, err
	}
	return newLogger(p.stderr, commandLevel(level)), nil
}

// commandLevel is the level for commands that end by themselves: what they do is told by their
// output, so the log shows warnings, and more only when asked for.
func commandLevel(asked slog.Level) slog.Level {
	if asked == slog.LevelInfo {
		return slog.LevelWarn
	}
	return asked
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
