package network

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/ethereum-optimism/optimism/op-core/interop/depset"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// L1ChainID is the chain id of the L1. The L2 chains count on from it.
const L1ChainID = 900

// New makes all genesis blocks and configurations. Equal options give an equal network.
func New(options Options) (*Network, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	network := &Network{Options: options}
	for i := range options.Chains {
		network.Chains = append(network.Chains, newChain(i, nextID(i), false))
	}
	if options.Lone {
		id := cmp.Or(options.LoneID, nextID(options.Chains))
		network.Chains = append(network.Chains, newChain(options.Chains, id, true))
	}
	l1, err := l1Genesis(options, network.Chains)
	if err != nil {
		return nil, fmt.Errorf("the genesis of L1: %w", err)
	}
	network.L1 = l1
	origin := l1.ToBlock().Header()
	for _, chain := range network.Chains {
		if err := chain.fill(options, origin, network.peers(chain)); err != nil {
			return nil, fmt.Errorf("chain %d: %w", chain.ID, err)
		}
	}
	return network, nil
}

func (o Options) check() error {
	switch {
	case o.Isthmus && o.Chains > 0:
		return errors.New("chains without Lagoon have no dependency set in common")
	case o.Chains < 1 && !o.Lone:
		return errors.New("a network has at least one chain")
	case o.BlockTime == 0 || o.L1BlockTime == 0:
		return errors.New("a block time is not zero")
	case o.LagoonDelay == 0 && !o.Isthmus:
		return errors.New("Lagoon cannot be active at genesis: its transactions make the contracts that messages need")
	case o.GenesisTime == 0:
		return errors.New("the time of genesis is missing")
	}
	return nil
}

// nextID is the id of the chain with this index, unless it is given another.
func nextID(index int) uint64 { return uint64(L1ChainID + 1 + index) }

// newChain is a chain that has its identity, but no genesis yet. Batches take turns between chains, so that two
// chains use both kinds of batch and both places for it.
func newChain(index int, id uint64, lone bool) *Chain {
	return &Chain{
		ID:           id,
		Lone:         lone,
		SpanBatches:  index%2 == 1,
		Blobs:        index%2 == 1,
		SequencerKey: chainKey(id, "sequencer"),
		BatcherKey:   chainKey(id, "batcher"),
	}
}

// peers are the chains of a chain's dependency set, itself included.
func (n *Network) peers(chain *Chain) []*Chain {
	if chain.Lone {
		return []*Chain{chain}
	}
	return n.Members()
}

func dependencySet(chains []*Chain) (*depset.StaticConfigDependencySet, error) {
	dependencies := make(map[eth.ChainID]*depset.StaticConfigDependency, len(chains))
	for _, chain := range chains {
		dependencies[eth.ChainIDFromUInt64(chain.ID)] = &depset.StaticConfigDependency{}
	}
	set, err := depset.NewStaticConfigDependencySet(dependencies)
	if err != nil {
		return nil, fmt.Errorf("the dependency set: %w", err)
	}
	return set, nil
}
