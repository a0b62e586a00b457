package feeds_test

import (
	"testing"

	"github.com/ethersphere/bee/v2/pkg/crypto"

	"swarmfs/swarmstore/feeds"
)

func TestTopicsAreKeccakOfVolumePathAndKind(t *testing.T) {
	for _, c := range []struct {
		topic feeds.Topic
		text  string
	}{
		{feeds.Data("default", "/a/b.txt"), "default/a/b.txt/data"},
		{feeds.Data("default", "a//b.txt"), "default/a/b.txt/data"},
		{feeds.Metadata("default", "/a/b.txt"), "default/a/b.txt/mtdt"},
		{feeds.Metadata("default", "/"), "default/mtdt"},
		{feeds.Metadata("default", ""), "default/mtdt"},
		{feeds.Data("images", "/ü"), "images/ü/data"},
	} {
		want, err := crypto.LegacyKeccak256([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.topic; string(got[:]) != string(want) {
			t.Errorf("topic of %s: %s, want %x", c.text, got, want)
		}
	}
}
