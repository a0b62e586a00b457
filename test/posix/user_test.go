package posix

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// A helper is a process that makes system calls as one user.
type helper struct {
	who  credential
	in   io.WriteCloser
	enc  *gob.Encoder
	dec  *gob.Decoder
	proc *exec.Cmd
}

// startHelper runs this test binary again as the given user. The helper ends
// when its standard input does, so it never outlives the test.
func startHelper(t *testing.T, who credential) *helper {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting a helper: %v", err)
	}
	h := &helper{who: who, in: in, enc: gob.NewEncoder(in), dec: gob.NewDecoder(out), proc: cmd}
	t.Cleanup(func() { h.stop(t) })
	if err := h.enc.Encode(who); err != nil {
		t.Fatalf("helper %v: %v", who, err)
	}
	var hello reply
	if err := h.dec.Decode(&hello); err != nil || hello.Fatal != "" {
		t.Fatalf("helper %v: %v %s", who, err, hello.Fatal)
	}
	return h
}

func (h *helper) stop(t *testing.T) {
	if err := h.in.Close(); err != nil {
		t.Errorf("helper %v: %v", h.who, err)
	}
	if err := h.proc.Wait(); err != nil {
		t.Errorf("helper %v: %v", h.who, err)
	}
}

func (h *helper) do(c call) (reply, error) {
	if err := h.enc.Encode(c); err != nil {
		return reply{}, fmt.Errorf("helper %v: sending %v: %w", h.who, c, err)
	}
	var r reply
	if err := h.dec.Decode(&r); err != nil {
		return reply{}, fmt.Errorf("helper %v: result of %v: %w", h.who, c, err)
	}
	if r.Fatal != "" {
		return reply{}, fmt.Errorf("helper %v: %v: %s", h.who, c, r.Fatal)
	}
	return r, nil
}

// A user makes system calls in the directory of one test.
type user struct {
	f     *fixture
	h     *helper
	umask int
}

// with returns the user with another file mode creation mask.
func (u user) with(umask int) user {
	u.umask = umask
	return u
}

func (u user) do(c call) result {
	u.f.t.Helper()
	c.Dir, c.Umask = u.f.dir, u.umask
	r, err := u.h.do(c)
	if err != nil {
		u.f.t.Fatal(err)
	}
	return result{reply: r, call: c, who: u.h.who}
}

// A result is a call with what came of it.
type result struct {
	reply
	call call
	who  credential
}

func (r result) String() string {
	outcome := "success"
	if r.Errno != 0 {
		outcome = errnoName(r.Errno)
	}
	return fmt.Sprintf("%v as %d:%v = %s", r.call, r.who.UID, r.who.Groups, outcome)
}
