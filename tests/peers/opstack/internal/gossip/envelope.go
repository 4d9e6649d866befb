package gossip

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// FromBlock rebuilds the envelope that a block travels in. It fails where the envelope does not hash to the block.
func FromBlock(config *rollup.Config, block *types.Block) (*eth.ExecutionPayloadEnvelope, error) {
	envelope, err := eth.BlockAsPayloadEnv(block, config)
	if err != nil {
		return nil, fmt.Errorf("block %d (%s) has no payload: %w", block.NumberU64(), block.Hash(), err)
	}
	if actual, ok := envelope.CheckBlockHash(); !ok {
		return nil, fmt.Errorf("the payload of block %d hashes to %s, not to %s", block.NumberU64(), actual, block.Hash())
	}
	return envelope, nil
}
