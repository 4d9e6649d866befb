package message

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/network"
)

// poll is how often a head or a receipt is looked for.
const poll = 100 * time.Millisecond

// Chain is a chain that messages are sent on.
type Chain struct {
	*network.Chain
	// Client asks the sequencer's execution client.
	Client *ethclient.Client
}

// timeOf is the timestamp of the block at a height.
func (c *Chain) timeOf(height uint64) uint64 {
	return c.Genesis.Timestamp + height*c.Rollup.BlockTime
}

// heightAt is the height of the first block at or after a timestamp.
func (c *Chain) heightAt(timestamp uint64) uint64 {
	since := timestamp - c.Genesis.Timestamp
	return (since + c.Rollup.BlockTime - 1) / c.Rollup.BlockTime
}

// window is for how many seconds a message can be executed.
func (c *Chain) window() uint64 { return c.DependencySet.MessageExpiryWindow() }

// awaitActive waits until every message that is sent from now on is past the activation block on either side, even one
// whose timestamp is a block too early.
func (c *Chain) awaitActive(ctx context.Context) error {
	return c.awaitHead(ctx, c.heightAt(c.ActivationTime)+1)
}

// awaitHead waits until the chain has a height.
func (c *Chain) awaitHead(ctx context.Context, height uint64) error {
	for {
		head, err := c.Client.BlockNumber(ctx)
		if err == nil && head >= height {
			return nil
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("chain %d does not reach block %d: %w", c.ID, height, err)
		}
	}
}

// errReplaced says that a block does not stand any more.
var errReplaced = errors.New("the block was replaced")

// awaitSafe waits until the chain is cross-safe up to a height, and this is its block there.
func (c *Chain) awaitSafe(ctx context.Context, height uint64, block common.Hash) error {
	for {
		safe, err := c.Client.HeaderByNumber(ctx, big.NewInt(rpc.SafeBlockNumber.Int64()))
		if err == nil && safe.Number.Uint64() >= height {
			break
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("chain %d is not safe up to block %d: %w", c.ID, height, err)
		}
	}
	header, err := c.Client.HeaderByNumber(ctx, new(big.Int).SetUint64(height))
	if err != nil {
		return fmt.Errorf("cannot read block %d of chain %d: %w", height, c.ID, err)
	}
	if header.Hash() != block {
		return fmt.Errorf("block %d of chain %d: %w", height, c.ID, errReplaced)
	}
	return nil
}

// freshHead waits for the next block, so that a transaction sent now has a whole block time to get into the one after it. A chain
// that went back for a replacement makes its blocks faster until it has caught up with the clock: that is waited for.
func (c *Chain) freshHead(ctx context.Context) (uint64, error) {
	var last uint64
	for known := false; ; {
		head, err := c.Client.BlockNumber(ctx)
		if err == nil && known && head > last && c.inTime(head) {
			return head, nil
		}
		if err == nil {
			// A replacement takes the head back.
			last, known = head, true
		}
		if err := pause(ctx); err != nil {
			return 0, fmt.Errorf("chain %d makes no block after %d: %w", c.ID, last, err)
		}
	}
}

// inTime says whether a chain with this head keeps up with the clock, but for a block or so.
func (c *Chain) inTime(head uint64) bool {
	return c.timeOf(head+2) >= uint64(time.Now().Unix())
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(poll):
		return nil
	}
}
