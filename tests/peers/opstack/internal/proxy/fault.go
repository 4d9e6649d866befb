package proxy

import (
	"context"
	"time"
)

// Fault is what becomes of requests.
type Fault struct {
	kind  kind
	delay time.Duration
	// stale is nil unless one height has a stale answer.
	stale *stale
}

type kind int

const (
	pass kind = iota
	cut
	tooMany
)

// Pass lets requests pass.
func Pass() Fault { return Fault{} }

// Cut ends each connection without an answer, those under way too.
func Cut() Fault { return Fault{kind: cut} }

// TooMany answers 429. A websocket ends at its next message, with the code that says to try again later.
func TooMany() Fault { return Fault{kind: tooMany} }

// Slow lets requests pass after a delay.
func Slow(delay time.Duration) Fault { return Fault{delay: delay} }

// wait says whether the delay went by before the context ended.
func wait(ctx context.Context, delay time.Duration) bool {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
