package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParseMountInfo(t *testing.T) {
	const text = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:36 / /mnt/swarm rw,nosuid,nodev,relatime shared:20 master:3 - fuse.swarmfs swarm:default rw,user_id=1000,group_id=1000,allow_other
41 22 0:37 / /mnt/with\040space\011tab\134 rw - fuse.swarmfs a\040b rw,user_id=0,group_id=0
42 22 0:38 / /none rw - tmpfs
`
	got, err := parseMountInfo(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []mountEntry{
		{path: "/", fsType: "ext4", source: "/dev/vda"},
		{path: "/mnt/swarm", fsType: "fuse.swarmfs", source: "swarm:default", user: "1000"},
		{path: "/mnt/with space\ttab\\", fsType: "fuse.swarmfs", source: "a b", user: "0"},
		{path: "/none", fsType: "tmpfs"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if _, err := parseMountInfo(strings.NewReader("nonsense\n")); err == nil {
		t.Error("nonsense was understood")
	}
}

func TestFindMountSeesTheRoot(t *testing.T) {
	root, err := findMount("/")
	if err != nil || root == nil || root.isOurs() {
		t.Errorf("findMount(/) = %+v, %v", root, err)
	}
	none, err := findMount(t.TempDir())
	if err != nil || none != nil {
		t.Errorf("findMount of a plain directory = %+v, %v", none, err)
	}
}

func FuzzParseMountInfo(f *testing.F) {
	f.Add("22 1 254:0 / /\\040 rw - ext4 /dev/vda rw\n")
	f.Add("1 2 3 4 \\04 - x")
	f.Fuzz(func(t *testing.T, text string) {
		mounts, err := parseMountInfo(strings.NewReader(text))
		if err == nil && len(mounts) > strings.Count(text, "\n")+1 {
			t.Errorf("%d mounts in %q", len(mounts), text)
		}
	})
}
