package sidecar

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
)

// Status is the answer of crosscheck_status.
type Status struct {
	Version string        `json:"version"`
	Ready   bool          `json:"ready"`
	Reasons []string      `json:"reasons"`
	Chains  []ChainStatus `json:"chains"`
}

// ChainStatus is how a chain stands. Heads are heights; nil: not known.
type ChainStatus struct {
	ChainID uint64 `json:"chain_id"`
	// Received counts the attested blocks taken under audit.
	Received uint64 `json:"received"`
	// Gossiped is the highest block heard of, on any topic.
	Gossiped  *uint64 `json:"gossiped"`
	Unsafe    *uint64 `json:"unsafe_head"`
	LocalSafe *uint64 `json:"local_safe"`
	Safe      *uint64 `json:"safe"`
	Finalized *uint64 `json:"finalized"`
	Vouched   *uint64 `json:"vouched"`
	Hold      *Hold   `json:"hold"`
	// Open counts the blocks without a verdict.
	Open uint64 `json:"open"`
	// SecondOpinion says what keeps the rollup node's word from being its own; nil: nothing is known to.
	SecondOpinion *string `json:"second_opinion"`
}

// Hold is the block that keeps the vouched head from moving on.
type Hold struct {
	Number uint64      `json:"number"`
	Hash   common.Hash `json:"hash"`
	// Verdict is Violated or Discarded.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
	// Claimants are who claims it, or a block on top of it, without a signature.
	Claimants []string `json:"claimants"`
}

// ClaimantDerived is the rollup node as a claimant: it derived the block.
const ClaimantDerived = "derived"

// Status is how the program and all chains stand.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var status Status
	if err := c.Call(ctx, &status, "crosscheck_status"); err != nil {
		return nil, err
	}
	return &status, nil
}

// ChainStatus is how one chain stands.
func (c *Client) ChainStatus(ctx context.Context, chain uint64) (*ChainStatus, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	for i := range status.Chains {
		if status.Chains[i].ChainID == chain {
			return &status.Chains[i], nil
		}
	}
	return nil, fmt.Errorf("crosscheck does not watch chain %d", chain)
}
