package posix

import (
	"testing"

	"golang.org/x/sys/unix"
)

// testLock checks advisory locks between two processes.
func testLock(s *suite, t *testing.T) {
	t.Run("flock", func(t *testing.T) { checkFlock(s.fixture(t)) })
	t.Run("fcntl", func(t *testing.T) { checkRecordLocks(s.fixture(t)) })
}

// twoProcesses returns two users with the same file open.
func twoProcesses(f *fixture) (a, b user, fdA, fdB int) {
	f.t.Helper()
	f.make(regular, "x", ownerID, ownerID)
	a, b = f.root, f.as(ownerID, ownerID)
	return a, b, a.open("x", unix.O_RDWR, 0), b.open("x", unix.O_RDWR, 0)
}

func checkFlock(f *fixture) {
	a, b, fdA, fdB := twoProcesses(f)
	try := func(u user, fd, how int) result {
		return u.do(call{Op: "flock", FD: fd, Flags: how | unix.LOCK_NB})
	}
	f.want(try(a, fdA, unix.LOCK_EX))
	f.want(try(b, fdB, unix.LOCK_EX), unix.EWOULDBLOCK)
	f.want(try(b, fdB, unix.LOCK_SH), unix.EWOULDBLOCK)
	f.want(try(a, fdA, unix.LOCK_SH))
	f.want(try(b, fdB, unix.LOCK_SH))
	f.want(try(a, fdA, unix.LOCK_EX), unix.EWOULDBLOCK)
	f.want(try(b, fdB, unix.LOCK_UN))
	f.want(try(a, fdA, unix.LOCK_EX))
	// Closing the file releases it.
	f.must(a.close(fdA))
	f.want(try(b, fdB, unix.LOCK_EX))
	f.must(b.close(fdB))
}

func checkRecordLocks(f *fixture) {
	a, b, fdA, fdB := twoProcesses(f)
	lock := func(u user, fd int, kind int, off, n int64) result {
		return u.do(call{Op: "setlk", FD: fd, Flags: kind, Off: off, Size: n})
	}
	busy := []unix.Errno{unix.EAGAIN, unix.EACCES}
	f.want(lock(a, fdA, unix.F_WRLCK, 0, 100))
	f.want(lock(b, fdB, unix.F_WRLCK, 50, 10), busy...)
	f.want(lock(b, fdB, unix.F_RDLCK, 99, 1), busy...)
	f.want(lock(b, fdB, unix.F_WRLCK, 100, 100))
	f.want(lock(a, fdA, unix.F_UNLCK, 50, 10))
	f.want(lock(b, fdB, unix.F_WRLCK, 50, 10))
	f.want(lock(b, fdB, unix.F_WRLCK, 49, 1), busy...)
	f.want(lock(a, fdA, unix.F_RDLCK, 0, 50))
	f.want(lock(b, fdB, unix.F_RDLCK, 0, 50))
	f.want(lock(a, fdA, unix.F_WRLCK, 1<<40, 0)) // to the end, wherever that is
	f.want(lock(b, fdB, unix.F_RDLCK, 1<<62, 1), busy...)
	// Closing any descriptor of the file releases all locks of the process.
	other := a.open("x", unix.O_RDONLY, 0)
	f.must(a.close(other))
	f.want(lock(b, fdB, unix.F_WRLCK, 0, 0))
	f.must(a.close(fdA))
	f.must(b.close(fdB))
}
