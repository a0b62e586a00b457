package main

import "testing"

func TestAllowsOthers(t *testing.T) {
	tests := map[string]bool{
		"":                                  false,
		"# user_allow_other\nmount_max = 9": false,
		"mount_max = 9\nuser_allow_other":   true,
		"  user_allow_other \n":             true,
		"user_allow_others\n":               false,
	}
	for config, want := range tests {
		if got := allowsOthers(config); got != want {
			t.Errorf("allowsOthers(%q) = %v", config, got)
		}
	}
}
