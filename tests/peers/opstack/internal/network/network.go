// Package network defines the chains of a test bed: keys, genesis blocks, rollup configurations and the
// dependency set. It starts nothing and talks to nobody.
package network

import (
	"crypto/ecdsa"

	"github.com/ethereum/go-ethereum/core"

	"github.com/ethereum-optimism/optimism/op-core/interop/depset"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

// Options say what a network looks like. Times are in seconds.
type Options struct {
	// Chains that form one dependency set.
	Chains int
	// Lone adds one more chain whose dependency set holds itself only.
	Lone bool
	// LoneID is its chain id. Zero: the next one. Where it is that of a public chain, programs that know that one call this one by
	// its name.
	LoneID uint64
	// Isthmus leaves out all forks after Isthmus, Lagoon and its messages with them. Only a lone chain can be so.
	Isthmus bool
	// LagoonDelay is the time from the L2 genesis to the activation of Lagoon. It is not zero where there is one.
	LagoonDelay uint64
	L1BlockTime uint64
	BlockTime   uint64
	// FinalityDistance is how many L1 blocks finality is behind the head.
	FinalityDistance uint64
	// GenesisTime is the timestamp of the L1 genesis block, and of each L2 genesis block.
	GenesisTime uint64
}

// Network is the whole of the test bed's chains.
type Network struct {
	Options
	L1     *core.Genesis
	Chains []*Chain
}

// Chain is one L2 chain.
type Chain struct {
	ID             uint64
	Lone           bool
	Genesis        *core.Genesis
	Rollup         *rollup.Config
	DependencySet  *depset.StaticConfigDependencySet
	ActivationTime uint64
	// SpanBatches says how the batcher batches: span batches, or singular ones.
	SpanBatches bool
	// Blobs says where the batcher puts batches: blobs, or calldata.
	Blobs bool
	// SequencerKey signs the chain's gossip. Its address stands in the SystemConfig.
	SequencerKey *ecdsa.PrivateKey
	BatcherKey   *ecdsa.PrivateKey
}

// Members are the chains of the common dependency set.
func (n *Network) Members() []*Chain {
	var members []*Chain
	for _, chain := range n.Chains {
		if !chain.Lone {
			members = append(members, chain)
		}
	}
	return members
}

// Chain finds a chain by its id. It is nil where there is none.
func (n *Network) Chain(id uint64) *Chain {
	for _, chain := range n.Chains {
		if chain.ID == id {
			return chain
		}
	}
	return nil
}
