package main

import (
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"swarmfs/fusefs"
)

// mountConfig is what a mount command line asks for, with everything resolved that the
// background process could resolve otherwise: it runs in another directory.
type mountConfig struct {
	store, volume string
	logLevel      string
	passwordFile  string
	foreground    bool
	logFile       string
	cacheSize     uint64
	metrics       string // address that serves them, "" for none
	fuse          fusefs.Options
}

func mountFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "options", Aliases: []string{"o"}, Value: new(optionLists), Usage: "mount `OPTIONS` with commas between, as for mount(8); they override flags"},
		&cli.BoolFlag{Name: "read-only", Aliases: []string{"r"}, Usage: "refuse every change"},
		&cli.BoolFlag{Name: "foreground", Aliases: []string{"f"}, Usage: "stay in the foreground and log to the terminal"},
		&cli.StringFlag{Name: "log-file", TakesFile: true, Usage: "`FILE` to log to", DefaultText: "log/VOLUME.log in the store"},
		&cli.StringFlag{Name: "cache-size", Usage: "`SIZE` of local copies kept of what the network has, such as 10GB; 0: all", Value: "0"},
		&cli.DurationFlag{Name: "attr-timeout", Usage: "`TIME` for which the kernel may keep attributes", Value: fusefs.DefaultAttrTimeout},
		&cli.StringFlag{Name: "uid", Usage: "show all files as owned by this user `ID`"},
		&cli.StringFlag{Name: "gid", Usage: "show all files as of this group `ID`"},
		&cli.StringFlag{Name: "umask", Usage: "take these permissions, an octal `MASK`, from all files"},
		&cli.StringFlag{Name: "metrics", Usage: "serve Prometheus metrics and /healthz at this `ADDRESS`, such as localhost:9105"},
		&cli.BoolFlag{Name: "debug", Usage: "log every request of the kernel", Hidden: true},
	}
}

// optionLists are the values of -o, which may be given several times.
type optionLists []string

func (o *optionLists) Set(list string) error { *o = append(*o, list); return nil }

func (o *optionLists) String() string { return strings.Join(*o, ",") }

// newMountConfig reads the flags and then the mount options over them.
func newMountConfig(c *cli.Context) (*mountConfig, error) {
	if c.NArg() != 1 {
		return nil, usagef(c, "want one mount point, not %d", c.NArg())
	}
	if _, err := logLevel(c); err != nil {
		return nil, err
	}
	m := &mountConfig{
		store: c.String(flagStore), volume: c.String(flagVolume),
		logLevel: c.String(flagLogLevel), passwordFile: c.String(flagPasswordFile),
		foreground: c.Bool("foreground"), metrics: c.String("metrics"),
		fuse: fusefs.DefaultOptions(c.Args().First()),
	}
	m.fuse.ReadOnly = c.Bool("read-only")
	m.fuse.Debug = c.Bool("debug")
	options := mountOptions(m)
	for _, name := range []string{"log-file", "cache-size", "attr-timeout", "uid", "gid", "umask"} {
		if !c.IsSet(name) {
			continue
		}
		value := fmt.Sprint(c.Value(name))
		if err := options[strings.ReplaceAll(name, "-", "_")].set(value); err != nil {
			return nil, usagef(c, "--%s %q: %v", name, value, err)
		}
	}
	if lists, ok := c.Generic("options").(*optionLists); ok {
		for _, list := range *lists {
			if err := m.applyOptions(list); err != nil {
				return nil, usagef(c, "-o %s: %v", list, err)
			}
		}
	}
	if m.store == "" {
		return nil, usagef(c, "where is the store? HOME is not set, so name it with --store")
	}
	return m, m.makeAbsolute()
}

func (m *mountConfig) makeAbsolute() error {
	if m.logFile == "" && !m.foreground {
		m.logFile = filepath.Join(m.store, "log", m.volume+".log")
	}
	for _, path := range []*string{&m.store, &m.logFile, &m.passwordFile} {
		if *path == "" || *path == askPassword {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fail("resolve", *path, err)
		}
		*path = abs
	}
	return nil
}

// commandLine returns the arguments that ask for the same mount in the foreground, for the
// background process.
func (m *mountConfig) commandLine() []string {
	args := []string{"--" + flagStore, m.store, "--" + flagVolume, m.volume, "--" + flagLogLevel, m.logLevel}
	if m.passwordFile != "" && m.passwordFile != askPassword {
		args = append(args, "--"+flagPasswordFile, m.passwordFile)
	}
	args = append(
		args, "mount", "--foreground", "--log-file", m.logFile,
		"--cache-size", strconv.FormatUint(m.cacheSize, 10),
	)
	if m.metrics != "" {
		args = append(args, "--metrics", m.metrics)
	}
	if m.fuse.Debug {
		args = append(args, "--debug")
	}
	return append(args, "-o", m.optionList(), "--", m.fuse.MountPoint)
}

// level is the log level; newMountConfig has checked it.
func (m *mountConfig) level() slog.Level {
	var level slog.Level
	if m.fuse.Debug || level.UnmarshalText([]byte(m.logLevel)) != nil {
		return slog.LevelDebug
	}
	return level
}

// warnLevel is that of commands which end by themselves.
func (m *mountConfig) warnLevel() slog.Level {
	return commandLevel(m.level())
}

func parseID(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil || id == math.MaxUint32 { // which chown(2) takes for "leave it"
		return 0, fmt.Errorf("want a numeric ID")
	}
	return uint32(id), nil
}

func parseUmask(s string) (uint32, error) {
	mask, err := strconv.ParseUint(s, 8, 32)
	if err != nil || mask > 0o777 {
		return 0, fmt.Errorf("want an octal number up to 777")
	}
	return uint32(mask), nil
}

func parseSize(s string) (uint64, error) {
	size, err := humanize.ParseBytes(s)
	if err != nil || size > math.MaxInt64 {
		return 0, fmt.Errorf("want a size such as 500MB or 10GiB")
	}
	return size, nil
}

// parseTimeout takes seconds, as mount options have them, and durations such as 500ms.
func parseTimeout(s string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		s = strconv.FormatFloat(seconds, 'f', -1, 64) + "s"
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want seconds, or a duration such as 500ms")
	}
	if d == 0 {
		return -1, nil // the zero of fusefs.Options stands for its default
	}
	return d, nil
}
