package tools

import (
	"testing"

	"swarmfs/test/harness"
)

// fio writes blocks of random sizes at random places and reads each back by
// its checksum: at once, and once more after a new mount, when no page of the
// kernel's cache is left.
func TestFio(t *testing.T) {
	harness.RequireProgram(t, "fio", "fio")
	tests := []struct {
		name string
		args []string
	}{
		{"psync with fsync", []string{"--ioengine=psync", "--bsrange=1k-64k", "--fsync=16"}},
		{"psync with fdatasync at the end", []string{"--ioengine=psync", "--bsrange=1k-64k", "--fdatasync=1000", "--end_fsync=1"}},
		{"mmap", []string{"--ioengine=mmap", "--bsrange=4k-64k", "--fsync=64"}},
		{"direct", []string{"--ioengine=libaio", "--iodepth=16", "--direct=1", "--bsrange=4k-64k"}},
		{"two jobs", []string{"--ioengine=psync", "--bsrange=1k-64k", "--fsync=32", "--numjobs=2"}},
		{"one block", []string{"--ioengine=psync", "--bs=4k", "--norandommap", "--fsync=8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := mount(t)
			fio := append([]string{
				"fio", "--name=verify", "--directory=" + fs.Dir, "--rw=randwrite", "--size=" + scaled("12m", "512m"),
				"--verify=crc32c", "--verify_fatal=1", "--verify_dump=0", "--output-format=terse",
			}, tt.args...)
			run(t, "", fio...)
			fs.Remount(t)
			run(t, "", append(fio, "--verify_only")...)
		})
	}
}
