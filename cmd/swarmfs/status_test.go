package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStatusOfAStoreNobodyUses(t *testing.T) {
	s := newShell(t)
	s.run("put", s.local("f", strings.Repeat("x", 1<<20)), "/f")
	var st statusEntry
	if err := json.Unmarshal([]byte(s.run("status", "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if st.Store != s.store || len(st.Sessions) != 0 || len(st.Volumes) != 1 || st.Volumes[0].Bytes != 1<<20 || st.Disk.Available == 0 {
		t.Errorf("status shows %+v", st)
	}
	if len(st.Content) < 2 || st.Content[0].Rung != "staged" || st.Content[0].Bytes != 0 || st.Content[1].Rung != "local" || st.Content[1].Bytes == 0 {
		t.Errorf("status shows as content %+v", st.Content)
	}
	if text := s.run("status"); !strings.Contains(text, "nobody") || !strings.Contains(text, "default") {
		t.Errorf("status printed %q", text)
	}
}

func TestStatusShowsMounts(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	defer s.run("umount", s.point)
	var st statusEntry
	if err := json.Unmarshal([]byte(s.run("status", "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if len(st.Sessions) != 1 || st.Sessions[0].Purpose != "mount" || st.Sessions[0].Detail != s.point || !st.Sessions[0].Alive ||
		st.Sessions[0].PID != s.server().PID {
		t.Errorf("status shows as sessions %+v", st.Sessions)
	}
}
