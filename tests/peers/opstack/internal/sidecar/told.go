package sidecar

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

// The kinds of what is told, as tests care for them.
const (
	ToldVerdict      = "verdict"
	ToldClaimRefuted = "claim-refuted"
	ToldInvalid      = "message-invalid"
	ToldInvalidSafe  = "message-invalid-safe"
	ToldInvalidFinal = "message-invalid-final"
	ToldFlip         = "flip"
	ToldEnded        = "ended"
)

// Told is something that crosscheck told: an event of crosscheck_events. Which fields it has depends on its kind.
type Told struct {
	ID   uint64 `json:"id"`
	Kind string `json:"kind"`
	// Block is the block of a verdict.
	Block BlockKey `json:"block"`
	// Verdict is the verdict on a block.
	Verdict string `json:"verdict"`
	// Attributable says of a verdict whether the attestation binds its signer. Nil: nobody attested the block itself.
	Attributable *bool `json:"attributable"`
	// Executing is the block that executes a message.
	Executing ExecutingBlock `json:"executing"`
	LogIndex  *uint64        `json:"log_index"`
	Reason    string         `json:"reason"`
	// State is how a message ended, and EndedBy the block in the place of the executing one.
	State   string       `json:"state"`
	EndedBy *common.Hash `json:"ended_by"`
}

// Told is everything that was told of a chain, in all starts of the program, oldest first. Chain zero: of all chains.
func (c *Client) Told(ctx context.Context, chain uint64) ([]Told, error) {
	var all []Told
	err := eachPage(0, func(after uint64) (*uint64, error) {
		var answer struct {
			Events []Told
			Next   *uint64
		}
		err := c.Call(ctx, &answer, "crosscheck_events", page(chain, after))
		all = append(all, answer.Events...)
		return answer.Next, err
	})
	return all, err
}

// subject names what an event is about, apart from when it was told. Empty: it may be told as often as it happens.
func (t *Told) subject() string {
	switch t.Kind {
	case ToldVerdict:
		// Told again when the block comes to be bound to its signer.
		return fmt.Sprintf("%s of %s, attributable %t", t.Kind, t.Block, t.Attributable != nil && *t.Attributable)
	case ToldInvalid, ToldInvalidSafe, ToldInvalidFinal, ToldEnded:
		if t.LogIndex != nil {
			return fmt.Sprintf("%s of log %d of %s", t.Kind, *t.LogIndex, t.Executing.BlockKey)
		}
	}
	return ""
}

// ToldTwice names what must be told once and was told again, in the order in which that happened.
func ToldTwice(events []Told) []string {
	seen := map[string]bool{}
	var twice []string
	for i := range events {
		subject := events[i].subject()
		if subject != "" && seen[subject] {
			twice = append(twice, subject)
		}
		seen[subject] = true
	}
	return twice
}
