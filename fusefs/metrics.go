package fusefs

import (
	"sync/atomic"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/prometheus/client_golang/prometheus"
)

// op names a kind of request in metrics.
type op int

const (
	opLookup op = iota
	opGetattr
	opSetattr
	opReadlink
	opMknod
	opMkdir
	opSymlink
	opLink
	opUnlink
	opRmdir
	opRename
	opCreate
	opTmpfile
	opOpen
	opRelease
	opRead
	opWrite
	opFsync
	opFallocate
	opCopy
	opLseek
	opOpendir
	opReaddir
	opReaddirplus
	opFsyncdir
	opStatfs
	opGetxattr
	opListxattr
	opSetxattr
	opRemovexattr
	opCount
)

var opNames = [opCount]string{
	opLookup: "lookup", opGetattr: "getattr", opSetattr: "setattr", opReadlink: "readlink",
	opMknod: "mknod", opMkdir: "mkdir", opSymlink: "symlink", opLink: "link",
	opUnlink: "unlink", opRmdir: "rmdir", opRename: "rename",
	opCreate: "create", opTmpfile: "tmpfile", opOpen: "open", opRelease: "release",
	opRead: "read", opWrite: "write", opFsync: "fsync", opFallocate: "fallocate", opCopy: "copy_file_range", opLseek: "lseek",
	opOpendir: "opendir", opReaddir: "readdir", opReaddirplus: "readdirplus", opFsyncdir: "fsyncdir", opStatfs: "statfs",
	opGetxattr: "getxattr", opListxattr: "listxattr", opSetxattr: "setxattr", opRemovexattr: "removexattr",
}

// latencyBuckets are upper bounds in seconds: from an answer out of memory to one from a slow network.
var latencyBuckets = [...]float64{0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10}

// metrics counts requests. A request costs two clock readings and a few atomic additions; everything else
// happens when somebody collects.
type metrics struct {
	ops      [opCount]opMetrics
	inFlight atomic.Int64
	read     atomic.Uint64
	written  atomic.Uint64

	latencyDesc, errorsDesc, inFlightDesc, bytesDesc *prometheus.Desc
}

type opMetrics struct {
	buckets [len(latencyBuckets) + 1]atomic.Uint64 // the last one: longer than all bounds
	nanos   atomic.Uint64
	errors  atomic.Uint64
}

var _ prometheus.Collector = (*metrics)(nil)

func newMetrics(volume string) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("swarmfs_fuse_"+name, help, labels, prometheus.Labels{"volume": volume})
	}
	return &metrics{
		latencyDesc:  desc("request_seconds", "Time to answer requests of the kernel.", "op"),
		errorsDesc:   desc("request_errors_total", "Requests of the kernel answered with an error.", "op"),
		inFlightDesc: desc("requests_in_flight", "Requests of the kernel being answered."),
		bytesDesc:    desc("bytes_total", "Bytes of file content exchanged with the kernel.", "direction"),
	}
}

// measure wraps the filesystem so that its requests are counted for reg. Without reg it costs nothing.
func measure(fs *fileSystem, volume string, reg prometheus.Registerer) (raw fuse.RawFileSystem, unregister func(), err error) {
	if reg == nil {
		return fs, func() {}, nil
	}
	m := newMetrics(volume)
	if err := reg.Register(m); err != nil {
		return nil, nil, err
	}
	return &measured{RawFileSystem: fs, m: m}, func() { reg.Unregister(m) }, nil
}

// begin and end enclose a request: defer m.end(op, m.begin(), &status).
func (m *metrics) begin() time.Time {
	m.inFlight.Add(1)
	return time.Now()
}

func (m *metrics) end(o op, begin time.Time, status *fuse.Status) {
	took := time.Since(begin)
	m.inFlight.Add(-1)
	s := &m.ops[o]
	s.nanos.Add(uint64(took))
	s.buckets[bucketOf(took.Seconds())].Add(1)
	if isFailure(*status) {
		s.errors.Add(1)
	}
}

func bucketOf(seconds float64) int {
	for i, bound := range latencyBuckets {
		if seconds <= bound {
			return i
		}
	}
	return len(latencyBuckets)
}

// isFailure leaves out the errnos that are ordinary answers: no such attribute, buffer too small, do it yourself.
func isFailure(s fuse.Status) bool {
	return s != fuse.OK && s != fuse.ENODATA && s != fuse.ERANGE && s != fuse.ENOSYS
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.latencyDesc
	out <- m.errorsDesc
	out <- m.inFlightDesc
	out <- m.bytesDesc
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	for i := range m.ops {
		s, name := &m.ops[i], opNames[i]
		count, buckets := s.cumulative()
		seconds := time.Duration(s.nanos.Load()).Seconds()
		out <- prometheus.MustNewConstHistogram(m.latencyDesc, count, seconds, buckets, name)
		out <- prometheus.MustNewConstMetric(m.errorsDesc, prometheus.CounterValue, float64(s.errors.Load()), name)
	}
	out <- prometheus.MustNewConstMetric(m.inFlightDesc, prometheus.GaugeValue, float64(m.inFlight.Load()))
	out <- prometheus.MustNewConstMetric(m.bytesDesc, prometheus.CounterValue, float64(m.read.Load()), "read")
	out <- prometheus.MustNewConstMetric(m.bytesDesc, prometheus.CounterValue, float64(m.written.Load()), "written")
}

// cumulative returns the buckets as the exposition format has them: each includes those below it.
func (s *opMetrics) cumulative() (count uint64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(latencyBuckets))
	for i, bound := range latencyBuckets {
		count += s.buckets[i].Load()
		buckets[bound] = count
	}
	return count + s.buckets[len(latencyBuckets)].Load(), buckets
}
