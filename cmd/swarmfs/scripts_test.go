package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestMountHelper calls scripts/mount.swarmfs as mount(8) does, with echo in place of this program.
func TestMountHelper(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"as mount calls it", []string{"photos", "/mnt", "-o", "rw,noatime"}, "--volume photos mount -o rw,noatime -- /mnt"},
		{"volume behind the type", []string{"swarmfs#photos", "/mnt", "-o", "ro"}, "--volume photos mount -o ro -- /mnt"},
		{"no volume", []string{"none", "/mnt", "-o", "rw"}, "--volume default mount -o rw -- /mnt"},
		{"type as volume", []string{"swarmfs", "/mnt"}, "--volume default mount -o  -- /mnt"},
		{"switches of mount", []string{"v", "/mnt", "-nsv", "-o", "rw", "-t", "fuse.swarmfs"}, "--volume v mount -o rw -- /mnt"},
		{"read-only", []string{"v", "/mnt", "-r", "-o", "dev"}, "--volume v mount -o ro,dev -- /mnt"},
		{"fake", []string{"v", "/mnt", "-f", "-o", "rw"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			command := exec.Command("../../scripts/mount.swarmfs", test.args...)
			command.Env = append(command.Environ(), "SWARMFS=echo")
			output, err := command.CombinedOutput()
			if got := strings.TrimSuffix(string(output), "\n"); err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
	for _, args := range [][]string{{}, {"v"}, {"v", "/mnt", "-X"}, {"v", "/mnt", "-N", "ns"}} {
		if err := exec.Command("../../scripts/mount.swarmfs", args...).Run(); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
