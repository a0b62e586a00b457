package crash

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"swarmfs/test/harness"
)

const (
	// A store is given up after so many kills, so that neither it nor the time
	// that fsck takes grows without end.
	killsPerStore = 50

	maxWork = 1200 * time.Millisecond
	// The daemon is killed this soon after it has started one time in four: it
	// is then still putting right what the last crash has left.
	maxEarly = 60 * time.Millisecond

	hangLimit = 60 * time.Second
	fsckLimit = 2 * time.Minute
)

// TestKill kills the daemon with SIGKILL while writers are at work.
func TestKill(t *testing.T) {
	rng := newRand(t)
	for left := *rounds; left > 0; left -= killsPerStore {
		t.Run("", func(t *testing.T) {
			fs := harness.Mount(t, harness.Options{})
			team := newCrew(rng.Uint64())
			for range min(left, killsPerStore) {
				killRound(t, fs, team, rng)
			}
			if err := check(team.writers, fs.Dir); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// newRand returns the source of all choices of a test and logs its seed.
func newRand(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed %d", s)
	return rand.New(rand.NewPCG(s, 1))
}

func randDuration(rng *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(limit)))
}

func killRound(t *testing.T, fs *harness.FS, team *crew, rng *rand.Rand) {
	t.Helper()
	// One kind of writer alone reaches states that all together do not.
	alone := team.writers[rng.IntN(len(team.writers))]
	all := rng.IntN(3) != 0
	work := team.start(fs.Dir, func(w Writer) bool { return all || w == alone })
	time.Sleep(randDuration(rng, maxWork))
	kill(t, fs, work)

	if rng.IntN(4) == 0 {
		fs.Remount(t)
		time.Sleep(randDuration(rng, maxEarly))
		fs.Kill9(t)
	}
	// fsck opens the store and so repairs it too: take turns with the mount.
	if rng.IntN(2) == 0 {
		fsck(t, fs)
		fs.Remount(t)
	} else {
		fs.Remount(t)
		fsck(t, fs)
	}
	if err := check(team.writers, fs.Dir); err != nil {
		saveStore(t, fs.Store)
		t.Fatal(err)
	}
}

// kill kills the daemon under the writers. The mount is detached only when
// they have noticed: a writer that went on would write below the mount point.
func kill(t *testing.T, fs *harness.FS, work *shift) {
	t.Helper()
	before := work.err()
	killed := syscall.Kill(fs.Pid, syscall.SIGKILL)
	if err := work.end(hangLimit); err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	fs.Kill9(t)
	if err := errors.Join(before, killed); err != nil {
		t.Fatalf("before the kill: %v", err)
	}
}

// fsck requires that swarmfs fsck finds nothing.
func fsck(t *testing.T, fs *harness.FS) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), fsckLimit)
	defer cancel()
	if out, err := fs.Command(ctx, "fsck").CombinedOutput(); err != nil {
		saveStore(t, fs.Store)
		t.Fatalf("swarmfs fsck: %v\n%s", err, out)
	}
}
