package node

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/log"
)

const (
	// syncLook is how often an execution client's sync is looked at.
	syncLook = time.Second
	// syncPatience is how long a sync may make no progress: some blocks.
	syncPatience = 6 * time.Second
)

// unstick ends sync cycles that stand still; the next head begins a new one. op-node gossips a block before its own execution
// client has it. A client that asks its peer for the block in this instant gets nothing, and never asks that peer again in this
// cycle. On a real chain another peer has the block. Here there may be none.
func unstick(ctx context.Context, client *eth.Ethereum, logger log.Logger) {
	ticker := time.NewTicker(syncLook)
	defer ticker.Stop()
	var last uint64
	since := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		progress := client.Downloader().Progress()
		if progress.CurrentBlock >= progress.HighestBlock || progress.CurrentBlock != last {
			last, since = progress.CurrentBlock, time.Now()
			continue
		}
		if time.Since(since) < syncPatience {
			continue
		}
		logger.Warn("a sync stands still, and is begun anew", "at", progress.CurrentBlock, "of", progress.HighestBlock)
		client.Downloader().Cancel()
		since = time.Now()
	}
}
