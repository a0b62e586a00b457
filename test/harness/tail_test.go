package harness

import (
	"strings"
	"testing"
)

func TestTailBufferKeepsTheEnd(t *testing.T) {
	for _, test := range []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"little", []string{"a", "b"}, "ab"},
		{"as much as fits", []string{strings.Repeat("x", tailSize)}, strings.Repeat("x", tailSize)},
		{"more in one write", []string{"a" + strings.Repeat("x", tailSize)}, strings.Repeat("x", tailSize)},
		{"more in two writes", []string{strings.Repeat("x", tailSize), "end"}, strings.Repeat("x", tailSize-3) + "end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b tailBuffer
			for _, w := range test.writes {
				if n, err := b.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
			}
			if got := b.String(); got != test.want {
				t.Errorf("kept %d bytes, want the last %d", len(got), len(test.want))
			}
		})
	}
}
