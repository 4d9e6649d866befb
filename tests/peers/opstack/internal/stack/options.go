// Package stack brings a whole OP Stack up on loopback: L1, chains, op-supernode or plain nodes, followers, gossip
// peers. It starts things in order and ends them in reverse. It makes no test, and judges nothing.
package stack

import (
	"cmp"
	"time"

	"crosscheck.dev/opstack/internal/network"
)

// Options say what a stack is made of.
type Options struct {
	// Chains form one dependency set.
	Chains int
	// Lone adds a chain with a dependency set of its own, that a plain op-node sequences.
	Lone bool
	// LoneID is that chain's id. Zero: the next one.
	LoneID uint64
	// Isthmus leaves out all forks after Isthmus, Lagoon and its messages with them. Only a lone chain can be so.
	Isthmus bool
	// Kona adds a kona-node to each lone chain, with an execution client of its own. It knows no fork after Isthmus.
	Kona bool
	// LagoonDelay is the time from genesis to the activation of Lagoon.
	LagoonDelay time.Duration
	// PlainNodes adds an op-node to each chain that derives for itself, with an execution client of its own.
	PlainNodes bool
	// PlainSequencers has an op-node sequence each member. op-supernode verifies beside them, with execution clients of its own.
	PlainSequencers bool
	// LightNodes adds an op-node to each chain that follows op-supernode, with an execution client of its own.
	LightNodes bool
	// Followers adds two op-nodes to each chain: one that follows Crosscheck, and one that follows op-supernode, as the control.
	Followers bool
	// Filter adds op-interop-filter.
	Filter bool
	// Monitor adds op-interop-mon.
	Monitor bool
	// FinalityDistance is how many L1 blocks finality is behind. Zero: the usual number.
	FinalityDistance uint64
}

const (
	blockTime   = 2
	l1BlockTime = 3
	// finalityDistance is how many L1 blocks finality is usually behind.
	finalityDistance = 8
	// genesisLead is how far genesis is in the past: L1 builds its first blocks at once.
	genesisLead = 2 * time.Second
)

func (o Options) network(now time.Time) network.Options {
	return network.Options{
		Chains:           o.Chains,
		Lone:             o.Lone,
		LoneID:           o.LoneID,
		Isthmus:          o.Isthmus,
		LagoonDelay:      uint64(o.LagoonDelay / time.Second),
		L1BlockTime:      l1BlockTime,
		BlockTime:        blockTime,
		FinalityDistance: cmp.Or(o.FinalityDistance, finalityDistance),
		GenesisTime:      uint64(now.Add(-genesisLead).Unix()),
	}
}
