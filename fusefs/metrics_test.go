package fusefs

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMetricsCount(t *testing.T) {
	m := newMetrics("v")
	for _, status := range []fuse.Status{fuse.OK, fuse.EIO, fuse.ENODATA} {
		m.end(opRead, m.begin(), &status)
	}
	slow := fuse.OK
	m.end(opRead, m.begin().Add(-time.Minute), &slow)
	if count, buckets := m.ops[opRead].cumulative(); count != 4 || buckets[10] != 3 {
		t.Errorf("got %d requests, %d of them within 10 s", count, buckets[10])
	}
	if got := m.ops[opRead].errors.Load(); got != 1 {
		t.Errorf("got %d errors, want 1", got)
	}
	if got := m.inFlight.Load(); got != 0 {
		t.Errorf("%d requests are in flight", got)
	}
}

func TestMetricsOfAMount(t *testing.T) {
	requireFUSE(t)
	store, volume, err := openTestVolume(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	reg := prometheus.NewPedanticRegistry()
	o := DefaultOptions(mountPoint(t))
	o.Registerer = reg
	server, err := Mount(t.Context(), volume, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.MountPoint+"/file", []byte("12345"), 0o644); err != nil {
		t.Error(err)
	}
	if got := gathered(t, reg)["swarmfs_fuse_bytes_total written"]; got != 5 {
		t.Errorf("%v bytes written, want 5", got)
	}
	if got := gathered(t, reg)["swarmfs_fuse_request_seconds create"]; got != 1 {
		t.Errorf("%v creations, want 1", got)
	}
	if err := server.Unmount(); err != nil {
		t.Fatal(err)
	}
	if got := gathered(t, reg); len(got) != 0 {
		t.Errorf("after unmounting: got %v", got)
	}
}

// gathered returns values by metric name and label.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.Metric {
			key := []string{f.GetName()}
			for _, l := range m.Label {
				if l.GetName() != "volume" {
					key = append(key, l.GetValue())
				}
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			values[strings.Join(key, " ")] = value
		}
	}
	return values
}
