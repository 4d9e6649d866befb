package stack

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// lookAgain is how often a head is looked at.
const lookAgain = 250 * time.Millisecond

// ActivationHeight is the height of the block that activates Lagoon.
func (c *Chain) ActivationHeight() uint64 {
	return (c.ActivationTime - c.Rollup.Genesis.L2Time) / c.Rollup.BlockTime
}

// Status is what the sequencer's rollup node says.
func (c *Chain) Status(ctx context.Context) (*eth.SyncStatus, error) {
	return status(ctx, c.SequencerRPC)
}

// AwaitFinal waits until the chain is final up to a height.
func (c *Chain) AwaitFinal(ctx context.Context, height uint64) error {
	return await(ctx, c.SequencerRPC, fmt.Sprintf("finalized head %d", height), func(s *eth.SyncStatus) bool {
		return s.FinalizedL2.Number >= height
	})
}

// AwaitSafe waits until the chain is cross-safe up to a height.
func (c *Chain) AwaitSafe(ctx context.Context, height uint64) error {
	return await(ctx, c.SequencerRPC, fmt.Sprintf("safe head %d", height), func(s *eth.SyncStatus) bool {
		return s.SafeL2.Number >= height
	})
}

// AwaitSafe waits until the node's safe head is at a height.
func (p *Pair) AwaitSafe(ctx context.Context, height uint64) error {
	return await(ctx, p.Rollup.RPC(), fmt.Sprintf("safe head %d", height), func(s *eth.SyncStatus) bool {
		return s.SafeL2.Number >= height
	})
}

// AwaitReplaced waits until the chain has, cross-safe, another block at the height of this one, and gives its hash.
func (c *Chain) AwaitReplaced(ctx context.Context, block eth.BlockID) (common.Hash, error) {
	for {
		if err := c.AwaitSafe(ctx, block.Number); err != nil {
			return common.Hash{}, err
		}
		header, err := c.Client.HeaderByNumber(ctx, bigNumber(block.Number))
		if err == nil && header.Hash() != block.Hash {
			return header.Hash(), nil
		}
		if err := sleep(ctx); err != nil {
			return common.Hash{}, fmt.Errorf("block %s is not replaced: %w", block, err)
		}
	}
}

func await(ctx context.Context, url, what string, holds func(*eth.SyncStatus) bool) error {
	last := "no answer"
	for {
		answer, err := status(ctx, url)
		switch {
		case err != nil:
			last = err.Error()
		case holds(answer):
			return nil
		default:
			last = fmt.Sprintf("unsafe %d, local-safe %d, safe %d, finalized %d", answer.UnsafeL2.Number,
				answer.LocalSafeL2.Number, answer.SafeL2.Number, answer.FinalizedL2.Number)
		}
		if err := sleep(ctx); err != nil {
			return fmt.Errorf("no %s: %s: %w", what, last, context.Cause(ctx))
		}
	}
}

func status(ctx context.Context, url string) (*eth.SyncStatus, error) {
	client, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", url, err)
	}
	defer client.Close()
	var answer eth.SyncStatus
	if err := client.CallContext(ctx, &answer, "optimism_syncStatus"); err != nil {
		return nil, fmt.Errorf("cannot read the status of %s: %w", url, err)
	}
	return &answer, nil
}

func bigNumber(height uint64) *big.Int { return new(big.Int).SetUint64(height) }

func sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(lookAgain):
		return nil
	}
}

// AwaitSafeBlock waits until a block is in the node's safe chain.
func (p *Pair) AwaitSafeBlock(ctx context.Context, block eth.BlockID) error {
	client, err := ethclient.DialContext(ctx, p.Execution.RPC())
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", p.Execution.RPC(), err)
	}
	defer client.Close()
	for {
		if err := p.AwaitSafe(ctx, block.Number); err != nil {
			return err
		}
		header, err := client.HeaderByNumber(ctx, bigNumber(block.Number))
		if err == nil && header.Hash() == block.Hash {
			return nil
		}
		if err := sleep(ctx); err != nil {
			return fmt.Errorf("block %s is not in the safe chain: %w", block, err)
		}
	}
}
