package sidecar

import (
	"context"
	"fmt"
	"sync"
)

// maxEvents is how many events are remembered. At some 200 bytes each that is a few tens of megabytes at most.
const maxEvents = 100_000

// Log holds the events of a process, oldest first. It is bounded: the oldest make room, and are counted.
type Log struct {
	mu      sync.Mutex
	events  []Event
	last    uint64
	dropped uint64
	// more is closed when an event comes, and replaced.
	more chan struct{}
}

func newLog() *Log { return &Log{more: make(chan struct{})} }

func (l *Log) add(event Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	event.ID = l.last
	if len(l.events) >= maxEvents {
		// A tenth at once: moving all of them for each line would cost more than the line.
		l.events = append([]Event(nil), l.events[maxEvents/10:]...)
		l.dropped += maxEvents / 10
	}
	l.events = append(l.events, event)
	close(l.more)
	l.more = make(chan struct{})
}

// Last is the id of the newest event: where to begin when only what comes from now on matters.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Dropped is how many events made room.
func (l *Log) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// After are the events after this id that the predicate takes. A nil predicate takes all.
func (l *Log) After(id uint64, takes func(*Event) bool) []Event {
	events, _ := l.after(id)
	var taken []Event
	for i := range events {
		if takes == nil || takes(&events[i]) {
			taken = append(taken, events[i])
		}
	}
	return taken
}

// First is the oldest event after this id that the predicate takes.
func (l *Log) First(id uint64, takes func(*Event) bool) (Event, bool) {
	events, _ := l.after(id)
	for i := range events {
		if takes(&events[i]) {
			return events[i], true
		}
	}
	return Event{}, false
}

// Await waits for the first event after this id that the predicate takes. One that is there already counts.
func (l *Log) Await(ctx context.Context, id uint64, what string, takes func(*Event) bool) (Event, error) {
	for {
		events, more := l.after(id)
		for i := range events {
			if takes(&events[i]) {
				return events[i], nil
			}
			id = events[i].ID
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("crosscheck's log did not show %s: %w", what, context.Cause(ctx))
		}
	}
}

// after are the events after this id, and a channel that is closed when there are more. What is returned never changes:
// the log only appends to it, or copies.
func (l *Log) after(id uint64) ([]Event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := 0
	if known := l.last - uint64(len(l.events)); id > known {
		start = int(min(id-known, uint64(len(l.events))))
	}
	return l.events[start:len(l.events):len(l.events)], l.more
}
