package main

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"swarmfs/fusefs"
)

// parseMount reads a mount command line as the program does, without running it.
func parseMount(t *testing.T, args ...string) (m *mountConfig, err error) {
	t.Helper()
	app := (&program{stdout: io.Discard, stderr: io.Discard}).app()
	app.Command("mount").Action = func(c *cli.Context) error {
		m, err = newMountConfig(c)
		return err
	}
	app.Setup()
	runErr := app.RunContext(context.Background(), append([]string{"swarmfs"}, sortArgs(app, args)...))
	if err == nil {
		err = runErr
	}
	return m, err
}

func TestMountCommandLine(t *testing.T) {
	uid, gid, umask := uint32(1000), uint32(100), uint32(0o027)
	tests := []struct {
		name, args string
		want       func(m *mountConfig)
	}{
		{"nothing else", "", func(*mountConfig) {}},
		{"read-only", "--read-only", func(m *mountConfig) { m.fuse.ReadOnly = true }},
		{"ro", "-o ro", func(m *mountConfig) { m.fuse.ReadOnly = true }},
		{"the last option counts", "-o ro,rw", func(*mountConfig) {}},
		{"options override flags", "--read-only -o rw", func(*mountConfig) {}},
		{"several lists", "-o ro -o noatime", func(m *mountConfig) { m.fuse.ReadOnly, m.fuse.NoAtime = true, true }},
		{"fstab noise", "-o defaults,_netdev,nofail,auto,noauto,user,x-systemd.automount,x-gvfs-name=a", func(*mountConfig) {}},
		{"empty words", "-o ,,ro,", func(m *mountConfig) { m.fuse.ReadOnly = true }},
		{"owners", "-o uid=1000,gid=100,umask=027", func(m *mountConfig) { m.fuse.UID, m.fuse.GID, m.fuse.Umask = &uid, &gid, &umask }},
		{"owners by flags", "--uid 1000 --gid=100 --umask 27", func(m *mountConfig) { m.fuse.UID, m.fuse.GID, m.fuse.Umask = &uid, &gid, &umask }},
		{"security", "-o nosuid,nodev,noexec", func(m *mountConfig) { m.fuse.Suid, m.fuse.Dev, m.fuse.Exec = false, false, false }},
		{"security off", "-o suid,dev,exec", func(m *mountConfig) { m.fuse.Suid, m.fuse.Dev, m.fuse.Exec = true, true, true }},
		{"others", "-o allow_other,default_permissions", func(m *mountConfig) { m.fuse.AllowOther = true }},
		{"no others", "-o noallow_other", func(m *mountConfig) { m.fuse.AllowOther = false }},
		{"no writeback", "-o nowriteback", func(m *mountConfig) { m.fuse.Writeback = false }},
		{"timeout in seconds", "-o attr_timeout=0.5", func(m *mountConfig) { m.fuse.AttrTimeout = 500 * time.Millisecond }},
		{"timeout as duration", "--attr-timeout 3s", func(m *mountConfig) { m.fuse.AttrTimeout = 3 * time.Second }},
		{"no caching", "-o attr_timeout=0", func(m *mountConfig) { m.fuse.AttrTimeout = -1 }},
		{"cache size", "--cache-size 10GB", func(m *mountConfig) { m.cacheSize = 10e9 }},
		{"store and volume", "-o store=/s,volume=v", func(m *mountConfig) { m.store, m.volume, m.logFile = "/s", "v", "/s/log/v.log" }},
		{"volume by flag", "--volume v", func(m *mountConfig) { m.volume, m.logFile = "v", "/store/log/v.log" }},
		{"log file", "-o log_file=/var/log/s.log", func(m *mountConfig) { m.logFile = "/var/log/s.log" }},
		{"foreground", "-f", func(m *mountConfig) { m.foreground, m.logFile = true, "" }},
		{"metrics", "--metrics localhost:1", func(m *mountConfig) { m.metrics = "localhost:1" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := mountConfig{
				store: "/store", volume: "default", logLevel: "info", logFile: "/store/log/default.log",
				fuse: fusefs.DefaultOptions("/mnt/swarm"),
			}
			test.want(&want)
			got, err := parseMount(t, append([]string{"--store", "/store", "mount", "/mnt/swarm"}, strings.Fields(test.args)...)...)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got %+v\nwant %+v", *got, want)
			}
		})
	}
}

func TestBadMountCommandLines(t *testing.T) {
	tests := []struct{ args, says string }{
		{"/mnt -o nonsense", `no mount option "nonsense"`},
		{"/mnt -o ro=1", "ro takes no value"},
		{"/mnt -o uid", "uid wants a value"},
		{"/mnt -o uid=alice", "numeric"},
		{"/mnt -o uid=4294967295", "numeric"},
		{"/mnt -o umask=8", "octal"},
		{"/mnt -o umask=1777", "octal"},
		{"/mnt -o attr_timeout=-1", "seconds"},
		{"/mnt -o attr_timeout=NaN", "seconds"},
		{"/mnt -o cache_size=many", "size"},
		{"/mnt -o store=", "empty"},
		{"/mnt --cache-size many", "--cache-size"},
		{"/mnt --uid -1", "--uid"},
		{"/mnt --nonsense", "--nonsense"},
		{"/mnt --log-level loud", "--log-level"},
		{"", "one mount point"},
		{"/a /b", "one mount point"},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			_, err := parseMount(t, append([]string{"mount"}, strings.Fields(test.args)...)...)
			var usage *usageError
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want a usage error with %q", err, test.says)
			}
		})
	}
}

// The background process is started with commandLine and must come to the same configuration.
func TestCommandLineForTheBackgroundSaysTheSame(t *testing.T) {
	for _, args := range []string{
		"/mnt/swarm",
		"/mnt/swarm -o ro,noatime,nosuid,nodev,noexec,nowriteback,allow_other,uid=1,gid=2,umask=022,attr_timeout=0",
		"--store relative --volume v --log-level debug --password-file p mount/point -o cache_size=1GB,log_file=l,metrics=:1",
		"/mnt/swarm --attr-timeout 250ms --debug",
		"-- -mnt",
	} {
		t.Run(args, func(t *testing.T) {
			asked, err := parseMount(t, append([]string{"mount"}, strings.Fields(args)...)...)
			if err != nil {
				t.Fatal(err)
			}
			asked.foreground = false
			got, err := parseMount(t, asked.commandLine()...)
			if err != nil {
				t.Fatal(err)
			}
			asked.foreground = true
			if !reflect.DeepEqual(got, asked) {
				t.Errorf("%q\ngot  %+v\nwant %+v", asked.commandLine(), got, asked)
			}
		})
	}
}

// FuzzMountOptions: any list is understood or refused, and what is understood can be written
// such that it is understood alike.
func FuzzMountOptions(f *testing.F) {
	f.Add("ro,noatime,uid=5,umask=22")
	f.Add("defaults,x-a=b,,=,attr_timeout=1e300")
	f.Add("store=a=b,cache_size=99EB")
	f.Fuzz(func(t *testing.T, list string) {
		var first, second mountConfig
		first.fuse = fusefs.DefaultOptions("")
		second.fuse = fusefs.DefaultOptions("")
		if first.applyOptions(list) != nil {
			return
		}
		if err := second.applyOptions(first.optionList()); err != nil {
			t.Fatalf("%q: %v", first.optionList(), err)
		}
		if !reflect.DeepEqual(first.fuse, second.fuse) {
			t.Errorf("%+v became %+v", first.fuse, second.fuse)
		}
	})
}
