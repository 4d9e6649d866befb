package sidecar

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// Subject is what times are asked of: a block, or one message of it.
type Subject struct {
	Block BlockKey
	// LogIndex is the place of the executing log. Nil: any message of the block.
	LogIndex *uint64
	// Transaction is the executing transaction. Zero: any of the block.
	Transaction common.Hash
}

// Times are when crosscheck's log first told of something. Zero: it has not.
type Times struct {
	// Suspect is when the access list of a gossiped transaction was found wrong, before there were receipts.
	Suspect time.Time
	// SuspectExecuted is when that transaction turned out to have executed the message.
	SuspectExecuted time.Time
	// Invalid is when the executed message was proven invalid.
	Invalid time.Time
	// Failure is when it was told that the invalid message is in a cross-safe or final block.
	Failure time.Time
	// Gone is when the message's block was gone.
	Gone time.Time
	// Verdict is when the attested block had its verdict.
	Verdict time.Time
}

// TimesOf finds when the log told of a block or a message.
func (l *Log) TimesOf(subject Subject) Times {
	var times Times
	for _, event := range l.After(0, nil) {
		if subject.isOf(&event) {
			if at := times.of(event.Message); at != nil {
				note(at, &event)
			}
		}
	}
	return times
}

func note(at *time.Time, event *Event) {
	if at.IsZero() {
		*at = event.Time
	}
}

func (t *Times) of(message string) *time.Time {
	switch message {
	case LineSuspect:
		return &t.Suspect
	case LineSuspectExecuted:
		return &t.SuspectExecuted
	case LineInvalid, LineFlipInvalid:
		return &t.Invalid
	case LineFailure, LineFailureFinal:
		return &t.Failure
	case LineMessageEnded:
		return &t.Gone
	case LineVerdict, LineViolated, LineDiscarded:
		return &t.Verdict
	}
	return nil
}

// isOf says whether an event is of this subject. An event that names no log or transaction is of all of the block.
func (s *Subject) isOf(event *Event) bool {
	chain, known := event.Number("chain_id")
	if !known || chain != s.Block.ChainID || event.Hash("hash") != s.Block.Hash {
		return false
	}
	if index, known := event.Number("log_index"); known && s.LogIndex != nil && index != *s.LogIndex {
		return false
	}
	transaction := event.Hash("transaction")
	return transaction == (common.Hash{}) || s.Transaction == (common.Hash{}) || transaction == s.Transaction
}

// AwaitLine waits for the first line after this event id with this message, of this block.
func (l *Log) AwaitLine(ctx context.Context, after uint64, message string, subject Subject) (Event, error) {
	what := fmt.Sprintf("%q of block %s", message, subject.Block)
	return l.Await(ctx, after, what, func(e *Event) bool { return e.Message == message && subject.isOf(e) })
}

// AwaitChainLine waits for the first line after this event id with this message, of this chain. Chain zero: of any.
func (l *Log) AwaitChainLine(ctx context.Context, after uint64, message string, chain uint64) (Event, error) {
	what := fmt.Sprintf("%q of chain %d", message, chain)
	return l.Await(ctx, after, what, func(e *Event) bool { return e.Is(message, chain) })
}

// Counts is how often each message was logged after this event id, by level and message.
func (l *Log) Counts(after uint64) map[[2]string]int {
	counts := map[[2]string]int{}
	for _, event := range l.After(after, nil) {
		counts[[2]string{event.Level, event.Message}]++
	}
	return counts
}
