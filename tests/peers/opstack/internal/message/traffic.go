package message

import (
	"context"
	"sync"
	"time"
)

// maxTraffic bounds what is remembered of traffic.
const maxTraffic = 10_000

// Traffic sends valid messages in both directions until it is stopped.
type Traffic struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	executed []Executed
	failures int
}

// StartTraffic sends a valid message from each chain to the other, again and again, with this pause between two. A message that
// cannot be sent, because a chain stands still or is replaced, is counted and no more.
func (s *Sender) StartTraffic(one, two uint64, every time.Duration) *Traffic {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Traffic{cancel: cancel}
	for _, way := range [][2]uint64{{one, two}, {two, one}} {
		t.done.Go(func() {
			for ctx.Err() == nil {
				executed, err := s.Send(ctx, way[0], way[1], Valid)
				t.note(executed, err)
				select {
				case <-ctx.Done():
				case <-time.After(every):
				}
			}
		})
	}
	return t
}

func (t *Traffic) note(executed *Executed, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failures++
	} else if len(t.executed) < maxTraffic {
		t.executed = append(t.executed, *executed)
	}
}

// Executed are the messages so far.
func (t *Traffic) Executed() []Executed {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Executed(nil), t.executed...)
}

// Stop ends the traffic.
func (t *Traffic) Stop() {
	t.cancel()
	t.done.Wait()
}
