package crash

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"swarmfs/test/harness"
)

var (
	rounds = flag.Int("rounds", 30, "how many times the daemon is killed")
	cuts   = flag.Int("cuts", 12, "how many times the power is cut")
	seed   = flag.Uint64("seed", 0, "seed of the random choices; 0: another one each time")
)

func TestMain(m *testing.M) {
	if isChild, err := RunChild(); isChild {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(harness.Main(m))
}
