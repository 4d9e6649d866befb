package gossip

import (
	"context"
	"slices"
	"sync"
)

// journalSize is how many entries are kept: hours of blocks.
const journalSize = 20_000

// journal keeps the latest entries in order, and lets others wait for one.
type journal[T any] struct {
	mutex   sync.Mutex
	entries []T
	// dropped counts the entries that were forgotten, oldest first.
	dropped int
	changed chan struct{}
}

func newJournal[T any]() *journal[T] { return &journal[T]{changed: make(chan struct{})} }

func (j *journal[T]) add(entry T) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if len(j.entries) == journalSize {
		j.entries = slices.Delete(j.entries, 0, journalSize/10)
		j.dropped += journalSize / 10
	}
	j.entries = append(j.entries, entry)
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *journal[T]) all() []T {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return slices.Clone(j.entries)
}

// await waits for the first entry that is wanted, past ones included.
func (j *journal[T]) await(ctx context.Context, wanted func(T) bool) (T, error) {
	next := 0
	for {
		entries, changed := j.from(&next)
		for _, entry := range entries {
			if wanted(entry) {
				return entry, nil
			}
		}
		select {
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		case <-changed:
		}
	}
}

// from takes the entries since a place, counted from the first entry ever, and moves the place behind them.
func (j *journal[T]) from(place *int) ([]T, <-chan struct{}) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	first := max(0, *place-j.dropped)
	*place = j.dropped + len(j.entries)
	return slices.Clone(j.entries[first:]), j.changed
}
