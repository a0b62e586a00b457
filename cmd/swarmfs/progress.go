package main

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows a person how far an operation is; on a stream that is not a terminal it shows
// nothing. Its methods may be called concurrently.
type progress struct {
	p   *program
	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil: nothing is shown
}

const unknownTotal = -1

// newProgress starts to show progress towards a total, in bytes or, say, in blocks.
func (p *program) newProgress(what string, total int64, inBytes bool) *progress {
	if !isTerminal(p.stderr) {
		return &progress{p: p}
	}
	bar := progressbar.NewOptions64(
		total,
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWriter(p.stderr),
		progressbar.OptionShowBytes(inBytes),
		progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetRenderBlankState(false),
	)
	return &progress{p: p, bar: bar}
}

func (g *progress) add(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bar != nil {
		_ = g.bar.Add64(n) // it can only fail to draw
	}
}

func (g *progress) set(done, total int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bar != nil {
		g.bar.ChangeMax64(total)
		_ = g.bar.Set64(done)
	}
}

// complain reports an error without the bar in its way.
func (g *progress) complain(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clear()
	g.p.complain(err)
}

// finish takes the bar away.
func (g *progress) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clear()
	g.bar = nil
}

func (g *progress) clear() {
	if g.bar != nil {
		_ = g.bar.Clear()
	}
}

// reader counts what is read.
func (g *progress) reader(r io.Reader) io.Reader { return &countingReader{r, g} }

type countingReader struct {
	io.Reader
	progress *progress
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.progress.add(int64(n))
	return n, err
}

// writer counts what is written.
func (g *progress) writer(w io.Writer) io.Writer { return &countingWriter{w, g} }

type countingWriter struct {
	io.Writer
	progress *progress
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.progress.add(int64(n))
	return n, err
}
