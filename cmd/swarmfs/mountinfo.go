package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// fsType is what the kernel calls our mounts.
const fsType = "fuse.swarmfs"

// mountEntry is a line of /proc/self/mountinfo, see proc(5).
type mountEntry struct {
	path, fsType, source string
	user                 string // who mounted it: the user_id option of FUSE
}

func (m *mountEntry) isOurs() bool { return m.fsType == fsType }

// findMount returns the topmost mount at exactly this path, nil if it is no mount point.
func findMount(path string) (*mountEntry, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mounts, err := parseMountInfo(f)
	if err != nil {
		return nil, err
	}
	for _, m := range slices.Backward(mounts) { // later mounts lie over earlier ones
		if m.path == path {
			return &m, nil
		}
	}
	return nil, nil
}

func parseMountInfo(r io.Reader) ([]mountEntry, error) {
	var mounts []mountEntry
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20) // overlay mounts have long options
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 1 {
			return nil, fmt.Errorf("mountinfo: cannot read line %q", lines.Text())
		}
		m := mountEntry{path: unescapeMount(left[4]), fsType: right[0]}
		if len(right) >= 2 {
			m.source = unescapeMount(right[1])
		}
		if len(right) >= 3 {
			m.user = userOption(right[2])
		}
		mounts = append(mounts, m)
	}
	return mounts, lines.Err()
}

func userOption(options string) string {
	for option := range strings.SplitSeq(options, ",") {
		if user, ok := strings.CutPrefix(option, "user_id="); ok {
			return user
		}
	}
	return ""
}

// unescapeMount undoes what the kernel does to spaces, tabs, line ends and backslashes: \040.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
