package main

import (
	"testing"
	"time"

	"swarmfs/swarmstore"
)

func TestModeString(t *testing.T) {
	tests := []struct {
		mode uint32
		want string
	}{
		{swarmstore.ModeRegular | 0o644, "-rw-r--r--"},
		{swarmstore.ModeDir | 0o1777, "drwxrwxrwt"},
		{swarmstore.ModeDir | 0o1776, "drwxrwxrwT"},
		{swarmstore.ModeRegular | 0o6755, "-rwsr-sr-x"},
		{swarmstore.ModeRegular | 0o6600, "-rwS--S---"},
		{swarmstore.ModeSymlink | 0o777, "lrwxrwxrwx"},
		{swarmstore.ModeFIFO, "p---------"},
		{swarmstore.ModeSocket, "s---------"},
		{swarmstore.ModeCharDev, "c---------"},
		{swarmstore.ModeBlockDev, "b---------"},
		{0, "?---------"},
	}
	for _, test := range tests {
		if got := modeString(test.mode); got != test.want {
			t.Errorf("modeString(%o) = %s, want %s", test.mode, got, test.want)
		}
	}
}

func TestListTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.Local)
	tests := []struct {
		at   time.Time
		want string
	}{
		{now.Add(-time.Hour), "Jun  1 11:00"},
		{now.AddDate(0, -5, 0), "Jan  1 12:00"},
		{now.AddDate(-1, 0, 0), "Jun  1  2025"},
		{now.Add(time.Hour), "Jun  1  2026"},
	}
	for _, test := range tests {
		if got := listTime(test.at, now); got != test.want {
			t.Errorf("listTime(%v) = %q, want %q", test.at, got, test.want)
		}
	}
}

func TestQuoteUnprintable(t *testing.T) {
	tests := map[string]string{
		"plain.txt":     "plain.txt",
		"two words":     "two words",
		"größe":         "größe",
		"a\x1b[31mred":  `"a\x1b[31mred"`,
		"line\nbreak":   `"line\nbreak"`,
		"not\xffUnicod": `"not\xffUnicod"`,
		"right\u202eto": `"right\u202eto"`,
	}
	for name, want := range tests {
		if got := quoteUnprintable(name); got != want {
			t.Errorf("quoteUnprintable(%q) = %s, want %s", name, got, want)
		}
	}
}
