package fusefs

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// readAhead is how far the kernel reads ahead of a sequential reader. Its default for FUSE, 128 KiB, is a
// quarter of a block; eight blocks keep the disk busy while they are consumed.
const readAhead = 4 << 20

// setReadAhead raises the mount's read-ahead. The protocol can only lower it, and the knob is root's; without it
// everything works, slower.
func setReadAhead(mountPoint string, logger *slog.Logger) {
	var st unix.Stat_t
	if err := unix.Stat(mountPoint, &st); err != nil {
		logger.Warn("read-ahead stays at the kernel's default", slog.Any("error", err))
		return
	}
	knob := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", unix.Major(st.Dev), unix.Minor(st.Dev))
	if err := os.WriteFile(knob, []byte(strconv.Itoa(readAhead>>10)), 0); err != nil {
		logger.Debug("read-ahead stays at the kernel's default", slog.Any("error", err))
	}
}
