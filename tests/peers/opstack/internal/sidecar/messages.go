package sidecar

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
)

// What is known of a message, and where it is in its life.
const (
	MessageUnknown = "unknown"
	MessageValid   = "valid"
	MessageInvalid = "invalid"
	// StateTracked: its block is canonical.
	StateTracked = "tracked"
	// StateDisplaced: its block is gone, and nothing stands in its place yet.
	StateDisplaced = "displaced"
	// The endings.
	StateFinalized = "finalized"
	StateResolved  = "resolved"
	StateOrphaned  = "orphaned"
	StateExpired   = "expired"
)

// Message is an executing message that crosscheck tracks, or tracked.
type Message struct {
	// Sequence is the number of its last change.
	Sequence  uint64         `json:"sequence"`
	Executing ExecutingBlock `json:"executing"`
	// LogIndex is the place of the inbox's log in the executing block.
	LogIndex         uint64 `json:"log_index"`
	TransactionIndex uint64 `json:"transaction_index"`
	// Initiating is what it cites. Nil: its log is malformed.
	Initiating  *Identifier  `json:"initiating"`
	PayloadHash *common.Hash `json:"payload_hash"`
	Status      string       `json:"status"`
	// Reason is the stable name of the rule that it breaks.
	Reason string `json:"reason"`
	Detail string `json:"detail"`
	// Level is unsafe, cross-unsafe, local-safe, safe or finalized.
	Level string `json:"level"`
	// State is one of those above.
	State string `json:"state"`
	// EndedBy is the block in the place of the executing one.
	EndedBy  *common.Hash `json:"ended_by"`
	Declared bool         `json:"declared"`
	Flips    int          `json:"flips"`
	History  []Change     `json:"history"`
}

// ExecutingBlock is a block and its timestamp.
type ExecutingBlock struct {
	BlockKey
	Timestamp uint64 `json:"timestamp"`
}

// Change is a change of a message's status.
type Change struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Cause string `json:"cause"`
}

// HasEnded says whether its life is over.
func (m *Message) HasEnded() bool {
	return m.State != StateTracked && m.State != StateDisplaced
}

// Executes says whether this is the message of that log.
func (m *Message) Executes(block BlockKey, logIndex uint64) bool {
	return m.Executing.BlockKey == block && m.LogIndex == logIndex
}

// MessageFilter says which messages to read. The zero value reads all.
type MessageFilter struct {
	// After reads only messages that changed after this one's sequence.
	After uint64
	// Chain reads only what this chain executed.
	Chain uint64
	// Hash reads only what this block executed.
	Hash common.Hash
	// Status, State and Reason read only what has them.
	Status, State, Reason string
	// OpenOnly leaves out those whose life is over.
	OpenOnly bool
}

func (f *MessageFilter) takes(m *Message) bool {
	return (f.Hash == (common.Hash{}) || m.Executing.Hash == f.Hash) &&
		(f.Status == "" || m.Status == f.Status) &&
		(f.State == "" || m.State == f.State) &&
		(f.Reason == "" || m.Reason == f.Reason)
}

// Messages are the tracked messages, by their last change.
func (c *Client) Messages(ctx context.Context, filter MessageFilter) ([]Message, error) {
	var taken []Message
	err := eachPage(filter.After, func(after uint64) (*uint64, error) {
		var answer struct {
			Messages []Message
			Next     *uint64
		}
		request := page(filter.Chain, after)
		request["open_only"] = filter.OpenOnly
		err := c.Call(ctx, &answer, "crosscheck_messages", request)
		for _, message := range answer.Messages {
			if filter.takes(&message) {
				taken = append(taken, message)
			}
		}
		return answer.Next, err
	})
	return newest(taken), err
}

// newest keeps one entry of each message: one that changes between two pages comes on both.
func newest(messages []Message) []Message {
	type key struct {
		block BlockKey
		log   uint64
	}
	last := map[key]uint64{}
	for _, m := range messages {
		last[key{m.Executing.BlockKey, m.LogIndex}] = m.Sequence
	}
	var kept []Message
	for _, m := range messages {
		if last[key{m.Executing.BlockKey, m.LogIndex}] == m.Sequence {
			kept = append(kept, m)
		}
	}
	return kept
}

// Message is the message that a log executes. Nil: it is not known.
func (c *Client) Message(ctx context.Context, block BlockKey, logIndex uint64) (*Message, error) {
	query := map[string]any{
		"chain_id": block.ChainID, "number": block.Number, "hash": block.Hash, "log_index": logIndex,
	}
	var message *Message
	err := c.Call(ctx, &message, "crosscheck_message", query)
	return message, err
}
