package message

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"

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

// freshHead waits for the next block, so that a transaction sent now has a whole block time to get into the one after it.
func (c *Chain) freshHead(ctx context.Context) (uint64, error) {
	var last uint64
	for known := false; ; {
		head, err := c.Client.BlockNumber(ctx)
		if err == nil && known && head > last {
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

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(poll):
		return nil
	}
}
