package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childEnv makes this test binary play the background process.
const childEnv = "SWARMFS_TEST_CHILD"

func TestMain(m *testing.M) {
	switch role := os.Getenv(childEnv); role {
	case "":
		os.Exit(m.Run())
	case "program": // the whole program, for tests with processes of their own
		os.Args[0] = "swarmfs"
		main()
	default:
		playChild(role)
	}
}

// playChild behaves as the background process of a mount might.
func playChild(role string) {
	waiting, err := inheritReadiness()
	if err != nil || waiting == nil {
		os.Exit(3)
	}
	switch role {
	case "ready":
		if waiting.ready() != nil || waiting.failed("too late") != nil {
			os.Exit(4)
		}
		time.Sleep(time.Minute) // until the test ends it
	case "failed":
		_ = waiting.failed("open store /s: no space\nsecond line")
	case "crash":
		os.Stderr.WriteString("last words")
	case "silent":
		time.Sleep(time.Minute)
	}
	os.Exit(1)
}

func startChild(t *testing.T, ctx context.Context, role string) (pid int, log string, err error) {
	t.Helper()
	t.Setenv(childEnv, role)
	logFile, err := openLog(filepath.Join(t.TempDir(), "log", "child.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logFile.Close()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	pid, err = startBackground(ctx, executable, nil, logFile)
	return pid, logFile.Name(), err
}

// endChild ends a process at the end of the test, having made sure that it is a child of this one:
// numbers below 1 would mean whole groups of processes.
func endChild(t *testing.T, pid int) {
	t.Helper()
	if pid <= 1 {
		t.Fatalf("process %d", pid)
	}
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), "\nPPid:\t"+strconv.Itoa(os.Getpid())+"\n") {
		t.Fatalf("process %d is not a child of this one", pid)
	}
	t.Cleanup(func() {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Error(err)
		}
		_, _ = unix.Wait4(pid, nil, 0, nil)
	})
}

func TestBackgroundProcessGetsReady(t *testing.T) {
	pid, _, err := startChild(t, context.Background(), "ready")
	if err != nil {
		t.Fatal(err)
	}
	endChild(t, pid)
	session, err := unix.Getsid(pid)
	if err != nil || session != pid {
		t.Errorf("session of the process is %d, %v; want its own, %d", session, err, pid)
	}
	cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	if err != nil || cwd != "/" {
		t.Errorf("it works in %q, %v", cwd, err)
	}
}

func TestBackgroundProcessFails(t *testing.T) {
	_, _, err := startChild(t, context.Background(), "failed")
	if err == nil || err.Error() != "open store /s: no space\nsecond line" {
		t.Errorf("got %v", err)
	}
}

func TestBackgroundProcessCrashes(t *testing.T) {
	_, log, err := startChild(t, context.Background(), "crash")
	if !errors.Is(err, errDied) || !strings.Contains(err.Error(), log) {
		t.Errorf("got %v, want errDied with the log's name", err)
	}
	text, err := os.ReadFile(log)
	if err != nil || string(text) != "last words" {
		t.Errorf("log has %q, %v", text, err)
	}
}

func TestWaitingForTheBackgroundProcessCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, _, err := startChild(t, ctx, "silent")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestReadinessOfAProcessNobodyWaitsFor(t *testing.T) {
	t.Setenv(readyFDEnv, "")
	waiting, err := inheritReadiness()
	if waiting != nil || err != nil {
		t.Fatalf("got %v, %v", waiting, err)
	}
	if err := errors.Join(waiting.ready(), waiting.failed("x")); err != nil {
		t.Error(err)
	}
	for _, number := range []string{"x", "0", "-1"} {
		t.Setenv(readyFDEnv, number)
		if _, err := inheritReadiness(); err == nil {
			t.Errorf("%s=%s was accepted", readyFDEnv, number)
		}
	}
}

func TestLargeLogIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	small, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	if info, err := small.Stat(); err != nil || info.Size() != 3 {
		t.Errorf("a small log was not kept: %v, %v", info, err)
	}
	if err := os.Truncate(path, maxLogSize+1); err != nil {
		t.Fatal(err)
	}
	fresh, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if info, err := fresh.Stat(); err != nil || info.Size() != 0 {
		t.Errorf("a large log was kept: %v, %v", info, err)
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != maxLogSize+1 {
		t.Errorf("the large log is gone: %v, %v", info, err)
	}
}
