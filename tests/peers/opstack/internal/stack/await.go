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

// Status is what the rollup node says that verifies messages.
func (c *Chain) Status(ctx context.Context) (*eth.SyncStatus, error) {
	return status(ctx, c.VerifierRPC)
}

// Level is one of the heads of a status.
type Level string

// The levels.
const (
	Unsafe    Level = "unsafe"
	LocalSafe Level = "local-safe"
	Safe      Level = "safe"
	Finalized Level = "finalized"
)

// Levels are all levels.
var Levels = []Level{Unsafe, LocalSafe, Safe, Finalized}

// of is the head of this level.
func (l Level) of(s *eth.SyncStatus) eth.L2BlockRef {
	switch l {
	case Unsafe:
		return s.UnsafeL2
	case LocalSafe:
		return s.LocalSafeL2
	case Safe:
		return s.SafeL2
	default:
		return s.FinalizedL2
	}
}

// Await waits until a head of the chain is at a height, as the rollup node says that verifies messages.
func (c *Chain) Await(ctx context.Context, level Level, height uint64) error {
	return await(ctx, c.VerifierRPC, level, height)
}

// AwaitSafe waits until the node's safe head is at a height.
func (p *Pair) AwaitSafe(ctx context.Context, height uint64) error {
	return await(ctx, p.Rollup.RPC(), Safe, height)
}

// AwaitFinalized waits until the node's finalized head is at a height.
func (p *Pair) AwaitFinalized(ctx context.Context, height uint64) error {
	return await(ctx, p.Rollup.RPC(), Finalized, height)
}

// AwaitReplaced waits until the chain has, cross-safe, another block at the height of this one, and gives its hash.
func (c *Chain) AwaitReplaced(ctx context.Context, block eth.BlockID) (common.Hash, error) {
	for {
		if err := c.Await(ctx, Safe, block.Number); err != nil {
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

func await(ctx context.Context, url string, level Level, height uint64) error {
	last := "no answer"
	for {
		answer, err := status(ctx, url)
		switch {
		case err != nil:
			last = err.Error()
		case level.of(answer).Number >= height:
			return nil
		default:
			last = fmt.Sprintf("unsafe %d, local-safe %d, safe %d, finalized %d", answer.UnsafeL2.Number,
				answer.LocalSafeL2.Number, answer.SafeL2.Number, answer.FinalizedL2.Number)
		}
		if err := sleep(ctx); err != nil {
			return fmt.Errorf("no %s head %d: %s: %w", level, height, last, context.Cause(ctx))
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
