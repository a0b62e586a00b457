package content_test

import (
	"errors"
	"strings"
	"testing"

	"swarmfs/swarmstore/content"
)

func TestReferenceAsText(t *testing.T) {
	ref := hasher.Block([]byte("text"))
	for _, text := range []string{ref.String(), strings.ToUpper(ref.String())} {
		if got, err := content.ParseReference(text); err != nil || got != ref {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	valid := ref.String()
	for _, text := range []string{"", valid[1:], valid + "00", "0x" + valid[2:], valid[:63] + "g", valid[:63] + " "} {
		if got, err := content.ParseReference(text); !errors.Is(err, content.ErrReference) || !got.IsZero() {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	if ref.IsZero() {
		t.Error("a reference of content passes for none")
	}
}
