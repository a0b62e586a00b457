package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mountOption is one word of an -o list, with "=value" behind it if takesValue.
type mountOption struct {
	takesValue bool
	set        func(value string) error
}

// ignoredOptions are those of fstab lines that mount(8), init and fsck use and pass on.
var ignoredOptions = []string{
	"defaults", "auto", "noauto", "user", "nouser", "users", "owner", "group", "nofail", "_netdev", "async", "diratime",
	"nolazytime",
}

// mountOptions returns the options that are understood, each of which changes m.
func mountOptions(m *mountConfig) map[string]mountOption {
	value := func(set func(string) error) mountOption { return mountOption{true, set} }
	toggle := func(to *bool, on bool) mountOption {
		return mountOption{false, func(string) error { *to = on; return nil }}
	}
	text := func(to *string) mountOption {
		return value(func(v string) error {
			if v == "" {
				return errors.New("it is empty")
			}
			*to = v
			return nil
		})
	}
	f := &m.fuse
	return map[string]mountOption{
		"ro": toggle(&f.ReadOnly, true), "rw": toggle(&f.ReadOnly, false),
		"allow_other": toggle(&f.AllowOther, true), "noallow_other": toggle(&f.AllowOther, false),
		"default_permissions": toggle(&f.DefaultPermissions, true),
		"noatime":             toggle(&f.NoAtime, true), "relatime": toggle(&f.NoAtime, false), "atime": toggle(&f.NoAtime, false),
		"suid": toggle(&f.Suid, true), "nosuid": toggle(&f.Suid, false),
		"dev": toggle(&f.Dev, true), "nodev": toggle(&f.Dev, false),
		"exec": toggle(&f.Exec, true), "noexec": toggle(&f.Exec, false),
		"writeback": toggle(&f.Writeback, true), "nowriteback": toggle(&f.Writeback, false),
		"foreground":    toggle(&m.foreground, true),
		"volume":        text(&m.volume),
		"store":         text(&m.store),
		"log_file":      text(&m.logFile),
		"password_file": text(&m.passwordFile),
		"metrics":       text(&m.metrics),
		"uid":           value(setPointer(&f.UID, parseID)),
		"gid":           value(setPointer(&f.GID, parseID)),
		"umask":         value(setPointer(&f.Umask, parseUmask)),
		"attr_timeout":  value(setValue(&f.AttrTimeout, parseTimeout)),
		"cache_size":    value(setValue(&m.cacheSize, parseSize)),
	}
}

func setValue[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		parsed, err := parse(text)
		if err == nil {
			*to = parsed
		}
		return err
	}
}

func setPointer[T any](to **T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		var parsed T
		err := setValue(&parsed, parse)(text)
		if err == nil {
			*to = &parsed
		}
		return err
	}
}

// applyOptions reads a list as mount(8) passes it on: words with commas between.
func (m *mountConfig) applyOptions(list string) error {
	known := mountOptions(m)
	for word := range strings.SplitSeq(list, ",") {
		name, value, hasValue := strings.Cut(word, "=")
		if word == "" || slices.Contains(ignoredOptions, name) || strings.HasPrefix(name, "x-") {
			continue
		}
		option, ok := known[name]
		switch {
		case !ok:
			return fmt.Errorf("no mount option %q", name)
		case option.takesValue && !hasValue:
			return fmt.Errorf("mount option %s wants a value: %s=…", name, name)
		case !option.takesValue && hasValue:
			return fmt.Errorf("mount option %s takes no value", name)
		}
		if err := option.set(value); err != nil {
			return fmt.Errorf("mount option %s: %w", word, err)
		}
	}
	return nil
}

// optionList writes the mount options such that applyOptions gives the same again.
func (m *mountConfig) optionList() string {
	f := m.fuse
	either := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	words := []string{
		either(f.ReadOnly, "ro", "rw"), either(f.AllowOther, "allow_other", "noallow_other"),
		either(f.NoAtime, "noatime", "relatime"), either(f.Suid, "suid", "nosuid"), either(f.Dev, "dev", "nodev"),
		either(f.Exec, "exec", "noexec"), either(f.Writeback, "writeback", "nowriteback"),
		"attr_timeout=" + max(f.AttrTimeout, 0).String(),
	}
	if f.UID != nil {
		words = append(words, fmt.Sprintf("uid=%d", *f.UID))
	}
	if f.GID != nil {
		words = append(words, fmt.Sprintf("gid=%d", *f.GID))
	}
	if f.Umask != nil {
		words = append(words, fmt.Sprintf("umask=%03o", *f.Umask))
	}
	return strings.Join(words, ",")
}
