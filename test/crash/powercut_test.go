package crash

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"swarmfs/test/crash/powercut"
	"swarmfs/test/harness"
)

const (
	// A disk is given up after so many cuts, because its content is in memory.
	cutsPerDisk = 10
	diskSize    = 2 << 30
)

// TestPowerCut cuts the power of the disk under the store while writers are at
// work: the store must come back from what ext4 makes of the disk's content.
func TestPowerCut(t *testing.T) {
	harness.RequireFUSE(t)
	rng := newRand(t)
	for left := *cuts; left > 0; left -= cutsPerDisk {
		t.Run("", func(t *testing.T) { cutPower(t, min(left, cutsPerDisk), rng) })
	}
}

func cutPower(t *testing.T, n int, rng *rand.Rand) {
	disk, dir := mountDisk(t)
	fs := harness.Mount(t, harness.Options{Store: filepath.Join(dir, "store")})
	team := newCrew(rng.Uint64())
	for range n {
		work := team.start(fs.Dir, func(Writer) bool { return true })
		time.Sleep(randDuration(rng, maxWork))
		var image *powercut.Image
		accounts := team.frozen(func() { image = disk.Cut(rng) })
		if err := errors.Join(work.end(hangLimit), work.err()); err != nil {
			t.Fatal(err)
		}
		t.Run("", func(t *testing.T) { checkImage(t, image, accounts) })
		if t.Failed() {
			return
		}
	}
}

// mountDisk mounts a new ext4 file system on a disk whose power can be cut.
func mountDisk(t *testing.T) (disk *powercut.Disk, dir string) {
	t.Helper()
	disk, dir = powercut.New(diskSize), t.TempDir()
	attached, err := disk.Attach(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := attached.Detach(); err != nil {
			t.Error(err)
		}
	})
	// Without discarding: the disk is all zeros.
	if out, err := exec.Command("mkfs.ext4", "-q", "-E", "nodiscard", attached.Device).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	mountImage(t, attached.Device, dir)
	return disk, dir
}

func mountImage(t *testing.T, source, dir string) {
	t.Helper()
	if err := powercut.MountImage(source, dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := powercut.Unmount(dir); err != nil {
			t.Error(err)
		}
	})
}

// checkImage boots from what the power cut has left.
func checkImage(t *testing.T, image *powercut.Image, accounts []Writer) {
	path, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := image.Save(path); err != nil {
		t.Fatal(err)
	}
	mountImage(t, path, dir)
	fs := harness.Mount(t, harness.Options{Store: filepath.Join(dir, "store")})
	fsck(t, fs)
	if err := check(accounts, fs.Dir); err != nil {
		saveStore(t, fs.Store)
		t.Error(err)
	}
}
