package sidecar

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// lastWords is how many of the last lines an error about an unexpected exit tells.
const lastWords = 5

// Process is a crosscheck that runs, or can run again. Its log goes on over its starts, its data directory stays. Start,
// Stop, Kill and Restart are called one at a time.
type Process struct {
	// Log is what it logged, in all its starts.
	Log *Log

	binary string
	config Config
	mu     sync.Mutex
	starts int
	child  *child
	// alive ends when the program ends by itself. It is made anew when the program is started again after that.
	alive context.Context
	fail  context.CancelCauseFunc
}

// Start writes the configuration, starts the program, and waits until its servers listen. It waits neither for
// endpoints nor for readiness. The context bounds this wait only.
func Start(ctx context.Context, binary string, config Config) (*Process, error) {
	p := &Process{Log: newLog(), binary: binary, config: config}
	if err := p.Restart(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Config is what it was told.
func (p *Process) Config() Config { return p.config }

// Client asks the program. It outlives restarts: the addresses stay.
func (p *Process) Client() *Client { return NewClient(&p.config) }

// Configure changes what the program is told at its next start.
func (p *Process) Configure(config Config) { p.config = config }

// Restart starts the program on the same data directory. One that still runs is stopped before.
func (p *Process) Restart(ctx context.Context) error {
	if err := p.Stop(ctx); err != nil {
		return err
	}
	if err := p.config.Write(); err != nil {
		return err
	}
	since := p.Log.Last()
	if err := p.launch(); err != nil {
		return err
	}
	waiting, cancel := p.While(ctx)
	defer cancel()
	_, err := p.Log.Await(waiting, since, "that it runs", func(e *Event) bool { return e.Is(LineRuns, 0) })
	if err != nil {
		p.Kill()
		return fmt.Errorf("cannot start crosscheck: %w", err)
	}
	return nil
}

func (p *Process) launch() error {
	file, err := os.OpenFile(p.config.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open crosscheck's log: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	start := p.starts + 1
	started, err := launch(p.binary, []string{"run", "--config", p.config.File()}, file, func(line string) {
		event := parseEvent(line, time.Now())
		event.Start = start
		p.Log.add(event)
	})
	if err != nil {
		return err
	}
	p.starts, p.child = start, started
	if p.alive == nil || p.alive.Err() != nil {
		p.alive, p.fail = context.WithCancelCause(context.Background())
	}
	go p.watch(started, p.fail)
	return nil
}

// watch tells of an exit that nobody wanted.
func (p *Process) watch(started *child, fail context.CancelCauseFunc) {
	<-started.done
	p.mu.Lock()
	err := p.errOf(started)
	p.mu.Unlock()
	if err != nil {
		fail(err)
	}
}

// While is a context that ends with the given one, and as soon as the program ends by itself: then its cause tells how.
// That the program is stopped, killed or restarted here does not end it.
func (p *Process) While(ctx context.Context) (context.Context, context.CancelFunc) {
	p.mu.Lock()
	alive := p.alive
	p.mu.Unlock()
	merged, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(alive, func() { cancel(context.Cause(alive)) })
	return merged, func() {
		stop()
		cancel(context.Canceled)
	}
}

// Running says whether the program runs now.
func (p *Process) Running() bool {
	child := p.current()
	return child != nil && !child.hasEnded()
}

// PID is the id of the process that was started last.
func (p *Process) PID() int {
	if child := p.current(); child != nil {
		return child.pid
	}
	return 0
}

// Exited is closed when the program that was started last has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} {
	return p.current().done
}

// Err says why the program ended that was started last, with its last words. Nil: it runs, or was told to end.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errOf(p.child)
}

func (p *Process) errOf(child *child) error {
	if child == nil || child.wanted || !child.hasEnded() {
		return nil
	}
	err := fmt.Errorf("crosscheck ended by itself: %s", child.outcome())
	last := p.Log.Last()
	for _, event := range p.Log.After(last-min(last, lastWords), nil) {
		err = fmt.Errorf("%w\n  %s", err, event.String())
	}
	return err
}

// Stop asks the program to end (SIGTERM), and waits until it has. When the context ends before, it is killed, and that
// is an error. So is an exit with another code than 0, unless it ended before it was asked.
func (p *Process) Stop(ctx context.Context) error {
	child := p.order(syscall.SIGTERM)
	if child == nil {
		return nil
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("crosscheck did not end when it was told to: %w", context.Cause(ctx))
	}
	if child.err != nil {
		return fmt.Errorf("crosscheck did not end as it should: %s", child.outcome())
	}
	return nil
}

// Kill ends the program as a crash does (SIGKILL), and waits until it is gone.
func (p *Process) Kill() {
	if child := p.order(syscall.SIGKILL); child != nil {
		<-child.done
	}
}

// order sends a signal. Nil: nothing runs.
func (p *Process) order(signal syscall.Signal) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == nil || p.child.hasEnded() {
		return nil
	}
	p.child.wanted = true
	if err := p.child.signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		// It cannot be another's process: it is ours until it was waited for. SIGKILL is the last resort.
		_ = p.child.signal(syscall.SIGKILL)
	}
	return p.child
}

func (p *Process) current() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}
