package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"swarmfs/test/harness"
)

const (
	// freeLimit is how soon after files were removed their space must be usable.
	freeLimit = 30 * time.Second
	fullLimit = 3 * time.Minute
)

// TestDiskFull fills the disk under the store through the mount.
func TestDiskFull(t *testing.T) {
	harness.RequireFUSE(t)
	disks := []struct {
		name  string
		mount func(t *testing.T, dir string, size int64)
	}{
		{"ext4", mountSmallExt4},
		{"tmpfs", mountSmallTmpfs},
	}
	files := []struct {
		name     string
		diskSize int64
		cells    int
	}{
		{"large files", 96 << 20, (2 << 20) / CellSize},
		{"small files", 32 << 20, 3}, // they live in the database
	}
	for _, disk := range disks {
		for _, file := range files {
			t.Run(disk.name+" "+file.name, func(t *testing.T) {
				dir := t.TempDir()
				disk.mount(t, dir, file.diskSize)
				fs := harness.Mount(t, harness.Options{Store: filepath.Join(dir, "store")})
				within(t, fs, func() { fillDisk(t, fs, file.cells) })
			})
		}
	}
}

func mountSmallExt4(t *testing.T, dir string, size int64) {
	image := filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, size)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-m", "0", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	mountImage(t, image, dir)
}

func mountSmallTmpfs(t *testing.T, dir string, size int64) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting the tmpfs: %v", err)
		}
	})
}

// within runs fn and stops the daemon when it takes too long, so that the
// system calls that hang come back.
func within(t *testing.T, fs *harness.FS, fn func()) {
	t.Helper()
	timer := time.AfterFunc(fullLimit, func() {
		t.Errorf("not done after %v", fullLimit)
		if err := syscall.Kill(fs.Pid, syscall.SIGQUIT); err != nil { // shows the stacks
			t.Error(err)
		}
	})
	defer timer.Stop()
	fn()
}

func fillDisk(t *testing.T, fs *harness.FS, size int) {
	acked := fillUntilFull(t, fs.Dir, size)
	checkFiles(t, fs.Dir, acked, size)
	fsck(t, fs)

	// A crash on the full disk must not make the store unusable.
	fs.Kill9(t)
	fs.Remount(t)
	checkFiles(t, fs.Dir, acked, size)

	removed := len(acked) / 2
	for _, i := range acked[:removed] {
		if err := os.Remove(fullName(fs.Dir, i)); err != nil {
			t.Fatalf("removing from a full disk: %v", err)
		}
	}
	acked = acked[removed:]
	next := acked[len(acked)-1] + 1
	for end := next + removed/2; next < end; next++ {
		writeAgain(t, fs.Dir, next, size)
		acked = append(acked, next)
	}
	checkFiles(t, fs.Dir, acked, size)
	fs.Remount(t)
	checkFiles(t, fs.Dir, acked, size)
	fsck(t, fs)
}

func fullName(dir string, i int) string { return filepath.Join(dir, fmt.Sprintf("full-%d", i)) }

// fillUntilFull writes files until the disk is full and returns the numbers of
// those that were acknowledged. Whichever call reports it, the error must be ENOSPC.
func fillUntilFull(t *testing.T, dir string, size int) (acked []int) {
	t.Helper()
	const tooMany = 1 << 20
	for i := range tooMany {
		err := writeWhole(dir, i, size)
		if err == nil {
			acked = append(acked, i)
			continue
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("after %d files: %v, want ENOSPC", i, err)
		}
		if i < 2 {
			t.Fatalf("the disk is full after %d files", i)
		}
		t.Logf("full after %d files of %d bytes: %v", i, size*CellSize, err)
		if err := os.Remove(fullName(dir, i)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("removing the file that did not fit: %v", err)
		}
		return acked
	}
	t.Fatalf("%d files do not fill the disk", tooMany)
	return nil
}

func writeWhole(dir string, i, size int) error {
	f, err := os.Create(fullName(dir, i))
	if err != nil {
		return err
	}
	_, err = f.Write(cells("full", 0, size, uint64(i+1)))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// writeAgain writes a file for which room was made, which may take a moment to
// become free.
func writeAgain(t *testing.T, dir string, i, size int) {
	t.Helper()
	for start := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := writeWhole(dir, i, size)
		if err == nil {
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || time.Since(start) > freeLimit {
			t.Fatalf("writing %v after files were removed: %v", time.Since(start).Round(time.Second), err)
		}
	}
}

func checkFiles(t *testing.T, dir string, acked []int, size int) {
	t.Helper()
	for _, i := range acked {
		gen, n, err := readCells(fullName(dir, i), "full")
		if err != nil {
			t.Fatal(err)
		}
		if gen != uint64(i+1) || n != size {
			t.Fatalf("file %d shows %d cells of generation %d, want %d of %d: %v", i, n, gen, size, i+1, errLost)
		}
	}
}
