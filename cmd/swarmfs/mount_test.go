package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/test/harness"
)

// mountShell runs whole processes of the program, which can mount.
type mountShell struct {
	*shell
	point string
}

func newMountShell(t *testing.T) *mountShell {
	t.Helper()
	harness.RequireFUSE(t)
	s := &mountShell{newShell(t), filepath.Join(t.TempDir(), "made", "mnt")}
	t.Cleanup(func() { _ = unix.Unmount(s.point, unix.MNT_DETACH) }) // is done already unless the test failed
	return s
}

func (s *mountShell) command(args ...string) *exec.Cmd {
	executable, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command(executable, append([]string{"--store", s.store}, args...)...)
	command.Env = append(os.Environ(), childEnv+"=program")
	return command
}

func (s *mountShell) try(args ...string) (output string, status int) {
	s.t.Helper()
	command := s.command(args...)
	text, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

func (s *mountShell) run(args ...string) string {
	s.t.Helper()
	output, status := s.try(args...)
	if status != exitDone {
		s.t.Fatalf("swarmfs %s: exit status %d, %s", strings.Join(args, " "), status, output)
	}
	return output
}

func (s *mountShell) fails(says string, args ...string) {
	s.t.Helper()
	output, status := s.try(args...)
	if status != exitFailed || !strings.Contains(output, says) {
		s.t.Errorf("swarmfs %s: exit status %d, %q; want %q", strings.Join(args, " "), status, output, says)
	}
}

func (s *mountShell) isMounted() bool {
	s.t.Helper()
	mounted, err := findMount(s.point)
	if err != nil {
		s.t.Fatal(err)
	}
	return mounted != nil
}

// server is the process behind the mount.
func (s *mountShell) server() *mountProcess {
	s.t.Helper()
	processes, err := findMountProcesses(0, s.point)
	if err != nil || len(processes) != 1 {
		s.t.Fatalf("found %d processes behind the mount, %v", len(processes), err)
	}
	if processes[0].PID <= 1 {
		s.t.Fatalf("process %d", processes[0].PID)
	}
	return processes[0]
}

func TestMountWriteUnmountRead(t *testing.T) {
	s := newMountShell(t)
	output := s.run("mount", s.point)
	if !strings.Contains(output, "mounted at "+s.point) || !strings.Contains(output, "swarmfs umount "+s.point) {
		t.Errorf("mount printed %q", output)
	}
	if err := os.WriteFile(filepath.Join(s.point, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fails("mounted there already", "mount", s.point)
	if output := s.run("umount", s.point); !strings.Contains(output, "everything is written to "+s.store) {
		t.Errorf("umount printed %q", output)
	}
	if s.isMounted() {
		t.Error("it is still mounted")
	}
	if got := s.run("cat", "/f"); got != "content" {
		t.Errorf("cat printed %q", got)
	}
	s.fails("no volume is mounted there", "umount", s.point)
}

func TestMountFailsWithTheReason(t *testing.T) {
	s := newMountShell(t)
	file := s.local("file", "")
	s.fails("mount at "+file+": not a directory", "mount", file)
	s.fails("there is no store", "mount", "--read-only", s.point)
	s.run("volume", "create", "default")
	// This one comes from the background process.
	s.fails("no such volume; swarmfs volume list", "--volume", "none", "mount", "--read-only", s.point)
	s.fails("serve metrics at", "mount", "--metrics", "localhost:x", s.point)
	if s.isMounted() {
		t.Error("it is mounted")
	}
}

func TestBusyMount(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	open, err := os.Create(filepath.Join(s.point, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	s.fails("it is in use by", "umount", s.point)

	waiting := s.command("umount", "--wait", s.point)
	var said bytes.Buffer
	waiting.Stderr = &said
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * unmountRetry) // it finds the mount in use meanwhile
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	if err := waiting.Wait(); err != nil {
		t.Fatalf("umount --wait: %v, %s", err, said.String())
	}
	if !strings.Contains(said.String(), "waiting for") {
		t.Errorf("umount --wait said %q", said.String())
	}
}

func TestLazyUnmountKeepsOpenFiles(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	open, err := os.Create(filepath.Join(s.point, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	server := s.server()
	s.run("umount", "--lazy", s.point)
	if s.isMounted() {
		t.Error("it is still mounted")
	}
	if _, err := open.WriteString("late"); err != nil {
		t.Error(err)
	}
	if err := open.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.wait(ctx); err != nil {
		t.Fatal(err)
	}
	if got := s.run("cat", "/open"); got != "late" {
		t.Errorf("cat printed %q", got)
	}
}

func TestSignalUnmounts(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	if err := os.WriteFile(filepath.Join(s.point, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := s.server()
	if err := unix.Kill(server.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.wait(ctx); err != nil {
		t.Fatal(err)
	}
	if s.isMounted() {
		t.Error("it is still mounted")
	}
	if got := s.run("cat", "/f"); got != "content" {
		t.Errorf("cat printed %q", got)
	}
}

// The second signal means that the grace period is over.
func TestSignalsDetachABusyMount(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	open, err := os.Create(filepath.Join(s.point, "open"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if _, err := open.WriteString("content"); err != nil {
		t.Fatal(err)
	}
	if err := open.Sync(); err != nil {
		t.Fatal(err)
	}
	server := s.server()
	for range 2 {
		if err := unix.Kill(server.PID, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * unmountRetry)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.wait(ctx); err != nil {
		t.Fatal(err)
	}
	if s.isMounted() {
		t.Error("it is still mounted")
	}
	if got := s.run("cat", "/open"); got != "content" {
		t.Errorf("cat printed %q", got)
	}
}

// killServer ends the process behind the mount as a crash would.
func (s *mountShell) killServer() {
	s.t.Helper()
	server := s.server()
	if err := unix.Kill(server.PID, unix.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.wait(ctx); err != nil {
		s.t.Fatal(err)
	}
}

func TestDeadMountIsClearedAway(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	s.killServer()
	if output := s.run("mount", s.point); !strings.Contains(output, "has died") {
		t.Errorf("mount printed %q", output)
	}
	if err := os.WriteFile(filepath.Join(s.point, "f"), nil, 0o600); err != nil {
		t.Error(err)
	}
	s.killServer()
	if output := s.run("umount", s.point); !strings.Contains(output, "has died") {
		t.Errorf("umount printed %q", output)
	}
	if s.isMounted() {
		t.Error("the dead mount is still there")
	}
}

func TestMetricsAndHealth(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", "--metrics", "127.0.0.1:0", s.point)
	defer s.run("umount", s.point)
	log, err := os.ReadFile(filepath.Join(s.store, "log", "default.log"))
	if err != nil {
		t.Fatal(err)
	}
	_, address, ok := strings.Cut(string(log), `msg="serving metrics" at=`)
	if !ok {
		t.Fatalf("the log does not tell the address: %s", log)
	}
	address, _, _ = strings.Cut(address, "\n")
	for path, want := range map[string]string{"/healthz": "ok\n", "/metrics": "process_open_fds "} {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v, %.200q", path, response.Status, err, body)
		}
	}
}

func TestForegroundTellsSystemd(t *testing.T) {
	s := newMountShell(t)
	socket := filepath.Join(t.TempDir(), "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	hears := func(want string) {
		t.Helper()
		if err := listener.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		message := make([]byte, 4096)
		n, err := listener.Read(message)
		if err != nil || string(message[:n]) != want {
			t.Fatalf("systemd hears %q, %v; want %q", message[:n], err, want)
		}
	}
	command := s.command("mount", "--foreground", s.point)
	command.Env = append(command.Env, "NOTIFY_SOCKET="+socket)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	hears("READY=1")
	if !s.isMounted() {
		t.Error("ready, but not mounted")
	}
	if err := command.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
	if err := command.Wait(); err != nil {
		t.Errorf("%v, %s", err, said.String())
	}
	if s.isMounted() {
		t.Error("it is still mounted")
	}
}
