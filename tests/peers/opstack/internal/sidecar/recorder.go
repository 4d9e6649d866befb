package sidecar

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// RecordInterval is the usual pause between two questions of a recorder.
const RecordInterval = 250 * time.Millisecond

// maxSpans is how many spans are kept of a source. The oldest make room.
const maxSpans = 20_000

// Source is a node whose status is recorded.
type Source struct {
	// Name is what it is asked for by.
	Name string
	// URL answers optimism_syncStatus.
	URL string
}

// Heads are the heads of a status.
type Heads struct {
	Unsafe, LocalSafe, Safe, Finalized eth.BlockID
	// Hold is the block that holds crosscheck's served head. Zero: none does, or it is another program's status.
	Hold common.Hash
}

// Span is a time in which a node answered with the same heads each time that it answered.
type Span struct {
	Heads
	First, Last time.Time
	Polls       int
}

// Recording is what was recorded of one source.
type Recording struct {
	// Spans are in their order. Heads that come back are another span.
	Spans []Span
	// Dropped counts the spans that made room.
	Dropped int
	// Failures counts the questions without an answer. LastError is the last of them.
	Failures  int
	LastError error
}

// Recorder asks nodes for their status at short intervals, and keeps what they answered. What lasts shorter than the
// interval may escape it.
type Recorder struct {
	mu     sync.Mutex
	kept   map[string]*Recording
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Record begins to record. It goes on until it is stopped.
func Record(sources ...Source) *Recorder { return RecordEvery(RecordInterval, sources...) }

// RecordEvery records with another pause between two questions.
func RecordEvery(interval time.Duration, sources ...Source) *Recorder {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Recorder{kept: map[string]*Recording{}, cancel: cancel}
	client := NewClient(&Config{})
	for _, source := range sources {
		r.kept[source.Name] = &Recording{}
		r.done.Add(1)
		// Each on its own: one that hangs must not leave a gap in the others.
		go func() {
			defer r.done.Done()
			r.poll(ctx, client, source, interval)
		}()
	}
	return r
}

// Stop ends the recording. What was recorded stays.
func (r *Recorder) Stop() {
	r.cancel()
	r.done.Wait()
}

// Of is what was recorded of a source so far.
func (r *Recorder) Of(name string) Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := r.kept[name]
	if kept == nil {
		return Recording{}
	}
	copied := *kept
	copied.Spans = append([]Span(nil), kept.Spans...)
	return copied
}

// AwaitReached waits until a source was recorded with a head of a level at this height or above, from a time on, and says when it was
// seen first. What waited for such a head by other means may be ahead of the recorder by a question.
func (r *Recorder) AwaitReached(ctx context.Context, name string, level Level, height uint64, since time.Time) (time.Time, error) {
	what := fmt.Sprintf("a %s head of %s at %d or above", level, name, height)
	recording, err := WaitFor(ctx, what, func(context.Context) (Recording, error) {
		recording := r.Of(name)
		if recording.ReachedSince(level, height, since).IsZero() && recording.LastError != nil {
			return recording, fmt.Errorf("%d questions had no answer: %w", recording.Failures, recording.LastError)
		}
		return recording, nil
	}, func(recording Recording) bool { return !recording.ReachedSince(level, height, since).IsZero() })
	return recording.ReachedSince(level, height, since), err
}

func (r *Recorder) poll(ctx context.Context, client *Client, source Source, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		status, err := client.SyncStatusAt(ctx, source.URL)
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		if err != nil {
			r.kept[source.Name].fail(err)
		} else {
			r.kept[source.Name].note(headsOf(status), time.Now())
		}
		r.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func headsOf(status *SyncStatus) Heads {
	heads := Heads{
		Unsafe:    status.UnsafeL2.ID(),
		LocalSafe: status.LocalSafeL2.ID(),
		Safe:      status.SafeL2.ID(),
		Finalized: status.FinalizedL2.ID(),
	}
	if status.Hold != nil {
		heads.Hold = status.Hold.Hash
	}
	return heads
}

func (r *Recording) fail(err error) {
	r.Failures++
	r.LastError = err
}

func (r *Recording) note(heads Heads, now time.Time) {
	if last := len(r.Spans) - 1; last >= 0 && r.Spans[last].Heads == heads {
		r.Spans[last].Last = now
		r.Spans[last].Polls++
		return
	}
	if len(r.Spans) >= maxSpans {
		r.Spans = append([]Span(nil), r.Spans[maxSpans/10:]...)
		r.Dropped += maxSpans / 10
	}
	r.Spans = append(r.Spans, Span{Heads: heads, First: now, Last: now, Polls: 1})
}
