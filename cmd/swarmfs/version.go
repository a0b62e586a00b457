package main

import (
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// release is set by the linker: -ldflags "-X main.release=1.2.3".
var release string

// version is the release, or what the Go tools know of this build.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:      "version",
		Usage:     "show the version of this program",
		UsageText: examples("swarmfs version", "swarmfs version --json"),
		Flags:     []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON object"}},
		Action: func(c *cli.Context) error {
			v := struct {
				Version  string `json:"version"`
				Revision string `json:"revision,omitempty"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{version(), revision(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if c.Bool(flagJSON) {
				return p.printJSON(v)
			}
			p.printf("swarmfs %s (%s, %s)\n", v.Version, v.Go, v.Platform)
			return nil
		},
	}
}

// revision is the commit that was built, "" if the build did not record it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
