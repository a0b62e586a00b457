package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"golang.org/x/term"
)

// report is everything that was measured.
type report struct {
	CPUs     int      `json:"cpus"`
	Scale    float64  `json:"scale"`
	Compared []result `json:"compared"`
	Own      []figure `json:"own"`
}

// figure is a measurement that only swarmfs has.
type figure struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
}

// median returns the middle of values, which are at least one.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// print writes the report as tables for people.
func (r report) print(w io.Writer) {
	fmt.Fprintf(w, "%d CPUs, sizes scaled by %g, medians; more is better\n\n", r.CPUs, r.Scale)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "workload\tunit\text4\tloopback\tswarmfs\tof ext4\tof loopback\t")
	for _, c := range r.Compared {
		ext4, loopback, swarmfs := median(c.Rates["ext4"]), median(c.Rates["loopback"]), median(c.Rates["swarmfs"])
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t\n", c.Workload, c.Unit,
			number(ext4), number(loopback), number(swarmfs), swarmfs/ext4, swarmfs/loopback)
	}
	flush(t)
	fmt.Fprintln(w)
	for _, f := range r.Own {
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", f.Name, number(median(f.Values)), f.Unit)
	}
	flush(t)
}

// flush writes a table out. A terminal that is gone is no reason to fail.
func flush(t *tabwriter.Writer) { _ = t.Flush() }

// number shows three digits or all before the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// progress overwrites the line that tells a person at the terminal what is going on.
func progress(format string, args ...any) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\033[K"+format, args...)
	}
}
