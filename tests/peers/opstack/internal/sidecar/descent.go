package sidecar

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Headers gives the header of any block by its hash, one that is no longer canonical included: an execution client.
type Headers interface {
	HeaderByHash(ctx context.Context, hash common.Hash) (*types.Header, error)
}

// BuiltOn are the distinct heads of a level that are this block or descend from it. This finds a block that was served
// without ever being a head itself, because heads moved on by several blocks at once.
func (r *Recording) BuiltOn(ctx context.Context, level Level, block eth.BlockID, headers Headers) ([]Head, error) {
	known := map[common.Hash]bool{block.Hash: true}
	var found []Head
	for _, head := range r.Passed(level, block.Number) {
		descends, err := descendsFrom(ctx, head.BlockID, block.Number, known, headers)
		if err != nil {
			return nil, fmt.Errorf("cannot tell whether %s head %s descends from %s: %w", level, head.BlockID, block, err)
		}
		if descends {
			found = append(found, head)
		}
	}
	return found, nil
}

// descendsFrom walks down from a head to a height. What is known is true for the block that is looked for and its
// descendants. What was walked over is known then.
func descendsFrom(ctx context.Context, head eth.BlockID, height uint64, known map[common.Hash]bool, headers Headers) (bool, error) {
	var walked []common.Hash
	descends := false
	for at := head; ; {
		if is, isKnown := known[at.Hash]; isKnown {
			descends = is
			break
		}
		walked = append(walked, at.Hash)
		if at.Number <= height {
			break
		}
		header, err := headers.HeaderByHash(ctx, at.Hash)
		if err != nil {
			return false, fmt.Errorf("no header of block %s: %w", at, err)
		}
		at = eth.BlockID{Hash: header.ParentHash, Number: at.Number - 1}
	}
	for _, hash := range walked {
		known[hash] = descends
	}
	return descends, nil
}
