package sidecar

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// The verdicts, as they are named in attestations, holds, the log and the metrics.
const (
	Open               = "open"
	Upheld             = "upheld"
	UpheldReplacement  = "upheld-replacement"
	Violated           = "violated"
	Discarded          = "discarded"
	Superseded         = "superseded"
	OriginAttested     = "attested"
	OriginAncestor     = "ancestor"
	DomainOwn          = "cross-safe-blocksv1"
	DomainZero         = "zero"
	ReasonInvalid      = "invalid-message"
	ReasonUnjustified  = "unjustified-replacement"
	ReasonNotDerived   = "not-derived"
	ReasonForged       = "forged-deposits"
	ReasonContradicted = "contradicts-l1"
	ReasonDivergence   = "execution-divergence"
)

// Attestation is a block under audit, and what was found out about it.
type Attestation struct {
	BlockKey
	// ID is its place in the order in which blocks were taken up.
	ID         uint64      `json:"id"`
	ParentHash common.Hash `json:"parent_hash"`
	Timestamp  uint64      `json:"timestamp"`
	// Origin is OriginAttested, or OriginAncestor of an attested block: then nobody signed it.
	Origin       string          `json:"origin"`
	Signer       *common.Address `json:"signer"`
	Domain       string          `json:"domain"`
	Attributable *bool           `json:"attributable"`
	PayloadHash  *common.Hash    `json:"payload_hash"`
	// OpenedAt is in Unix seconds.
	OpenedAt uint64           `json:"opened_at"`
	Waits    []Wait           `json:"waits"`
	Messages []CheckedMessage `json:"messages"`
	// Replaces is the block that it replaces: then the messages are that block's.
	Replaces *common.Hash `json:"replaces"`
	Verdict  string       `json:"verdict"`
	Reason   string       `json:"reason"`
	Detail   string       `json:"detail"`
	// DecidedAt is in Unix seconds.
	DecidedAt *uint64 `json:"decided_at"`
	// DecidedAfterMS is the time from when this start of the program took it up to its verdict.
	DecidedAfterMS *uint64 `json:"decided_after_ms"`
}

// IsUpheld says whether the block may carry the vouched head.
func (a *Attestation) IsUpheld() bool {
	return a.Verdict == Upheld || a.Verdict == UpheldReplacement
}

// IsDecided says whether there is a verdict. It is final then.
func (a *Attestation) IsDecided() bool { return a.Verdict != Open }

// DecidedAfter is the time from when the block was taken up to its verdict. Zero: there is none.
func (a *Attestation) DecidedAfter() time.Duration {
	if a.DecidedAfterMS == nil {
		return 0
	}
	return time.Duration(*a.DecidedAfterMS) * time.Millisecond
}

// Wait is what a case waits for, or has waited for.
type Wait struct {
	For     string `json:"for"`
	ChainID uint64 `json:"chain_id"`
	Cause   string `json:"cause"`
}

// CheckedMessage is an executed message of an audited block.
type CheckedMessage struct {
	LogIndex    uint64       `json:"log_index"`
	Initiating  *Identifier  `json:"initiating"`
	PayloadHash *common.Hash `json:"payload_hash"`
	// Status is MessageUnknown, MessageValid or MessageInvalid.
	Status string `json:"status"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Identifier is where a message says that it was initiated.
type Identifier struct {
	Origin      common.Address `json:"origin"`
	BlockNumber uint64         `json:"block_number"`
	LogIndex    uint64         `json:"log_index"`
	Timestamp   uint64         `json:"timestamp"`
	ChainID     uint64         `json:"chain_id"`
}

// Attestations are all audited blocks of a chain, in the order in which they were taken up. Chain zero: of all chains.
func (c *Client) Attestations(ctx context.Context, chain uint64) ([]Attestation, error) {
	return c.AttestationsAfter(ctx, chain, 0)
}

// AttestationsAfter are those that were taken up after the one with this id.
func (c *Client) AttestationsAfter(ctx context.Context, chain, id uint64) ([]Attestation, error) {
	var all []Attestation
	err := eachPage(id, func(after uint64) (*uint64, error) {
		var answer struct {
			Attestations []Attestation
			Next         *uint64
		}
		err := c.Call(ctx, &answer, "crosscheck_attestations", page(chain, after))
		all = append(all, answer.Attestations...)
		return answer.Next, err
	})
	return all, err
}

// Attestation is the audited block with this hash. Nil: there is none.
func (c *Client) Attestation(ctx context.Context, chain uint64, hash common.Hash) (*Attestation, error) {
	all, err := c.Attestations(ctx, chain)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Hash == hash {
			return &all[i], nil
		}
	}
	return nil, nil
}

// pageSize is the most that crosscheck gives at once.
const pageSize = 1000

func page(chain, after uint64) map[string]any {
	page := map[string]any{"after": after, "limit": pageSize}
	if chain != 0 {
		page["chain_id"] = chain
	}
	return page
}

// eachPage reads pages until one names no next.
func eachPage(after uint64, read func(after uint64) (*uint64, error)) error {
	for {
		next, err := read(after)
		if err != nil || next == nil {
			return err
		}
		after = *next
	}
}
