package main

import (
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{3, 1}, 2},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
	}
	for _, tt := range tests {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestReportShowsRatios(t *testing.T) {
	var out strings.Builder
	report{Compared: []result{{
		Workload: "w", Unit: "op/s",
		Rates: map[string][]float64{"ext4": {100, 400, 200}, "loopback": {50}, "swarmfs": {100}},
	}}}.print(&out)
	for _, want := range []string{"200", "50.0", "0.50", "2.00"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing in\n%s", want, out.String())
		}
	}
}
