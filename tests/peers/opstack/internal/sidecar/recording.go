package sidecar

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Level is one of the heads of a status.
type Level string

// The levels.
const (
	LevelUnsafe    Level = "unsafe"
	LevelLocalSafe Level = "local-safe"
	LevelSafe      Level = "safe"
	LevelFinalized Level = "finalized"
)

// Levels are all levels, the least safe first.
var Levels = []Level{LevelUnsafe, LevelLocalSafe, LevelSafe, LevelFinalized}

// At is the head of a level.
func (h *Heads) At(level Level) eth.BlockID {
	switch level {
	case LevelUnsafe:
		return h.Unsafe
	case LevelLocalSafe:
		return h.LocalSafe
	case LevelSafe:
		return h.Safe
	default:
		return h.Finalized
	}
}

// Sighting is when a block was a head of a level.
type Sighting struct {
	Level Level
	// First and Last are the times of the first and the last answer that named it.
	First, Last time.Time
}

func (s Sighting) String() string {
	return fmt.Sprintf("%s from %s for %s", s.Level, s.First.UTC().Format("15:04:05.000"), s.Last.Sub(s.First))
}

// Sightings are the levels at which a block was ever a head. Empty: at none. A block that heads passed by, within one
// answer and the next, was no head: where that matters, ask Passed, and the execution client for the ancestors of
// what it gives.
func (r *Recording) Sightings(hash common.Hash) []Sighting {
	var found []Sighting
	for _, level := range Levels {
		sighting := Sighting{Level: level}
		for i := range r.Spans {
			span := &r.Spans[i]
			if span.At(level).Hash != hash {
				continue
			}
			if sighting.First.IsZero() {
				sighting.First = span.First
			}
			sighting.Last = span.Last
		}
		if !sighting.First.IsZero() {
			found = append(found, sighting)
		}
	}
	return found
}

// Passed are the distinct heads of a level at this height or above, each with the time of the first answer that named it.
func (r *Recording) Passed(level Level, height uint64) []Head {
	seen := map[common.Hash]bool{}
	var heads []Head
	for i := range r.Spans {
		head := r.Spans[i].At(level)
		if head.Number < height || seen[head.Hash] {
			continue
		}
		seen[head.Hash] = true
		heads = append(heads, Head{BlockID: head, First: r.Spans[i].First})
	}
	return heads
}

// Reached is the time of the first answer whose head of a level was at this height or above. Zero: none was.
func (r *Recording) Reached(level Level, height uint64) time.Time {
	for i := range r.Spans {
		if r.Spans[i].At(level).Number >= height {
			return r.Spans[i].First
		}
	}
	return time.Time{}
}

// ReachedSince is the time of the first answer, from a time on, whose head of a level was at this height or above. Zero: none was. An
// op-node whose execution client has just synced calls its tip safe and final for a moment: that is before the time.
func (r *Recording) ReachedSince(level Level, height uint64, since time.Time) time.Time {
	for i := range r.Spans {
		span := &r.Spans[i]
		if span.At(level).Number < height || span.Last.Before(since) {
			continue
		}
		if span.First.Before(since) {
			return since
		}
		return span.First
	}
	return time.Time{}
}

// Head is a head and when it was seen first.
type Head struct {
	eth.BlockID
	First time.Time
}

// Retraction is a head that went back, or changed its block at the same height.
type Retraction struct {
	Level    Level
	From, To eth.BlockID
	At       time.Time
}

func (r Retraction) String() string {
	return fmt.Sprintf("%s went from %s to %s at %s", r.Level, r.From, r.To, r.At.UTC().Format("15:04:05.000"))
}

// Retractions are all of a level's. A node that resets answers zeros: that is one, too.
func (r *Recording) Retractions(level Level) []Retraction {
	var found []Retraction
	for i := 1; i < len(r.Spans); i++ {
		before, now := r.Spans[i-1].At(level), r.Spans[i].At(level)
		if now.Number < before.Number || (now.Number == before.Number && now.Hash != before.Hash) {
			found = append(found, Retraction{Level: level, From: before, To: now, At: r.Spans[i].First})
		}
	}
	return found
}

// LongestStill is the longest time for which a level's head did not move, between the first and the last answer.
func (r *Recording) LongestStill(level Level) time.Duration {
	var longest time.Duration
	var since time.Time
	for i := range r.Spans {
		span := &r.Spans[i]
		if i == 0 || r.Spans[i-1].At(level) != span.At(level) {
			since = span.First
		}
		longest = max(longest, span.Last.Sub(since))
	}
	return longest
}
