package stack

import (
	"path/filepath"
	"time"

	"crosscheck.dev/opstack/internal/sidecar"
)

// RollupNode says which of the stack's nodes Crosscheck takes for a chain's rollup node.
type RollupNode int

// The nodes.
const (
	// SequencerNode is op-supernode, which verifies messages; of the lone chain, its op-node.
	SequencerNode RollupNode = iota
	// PlainNode is an op-node that derives, and verifies no message.
	PlainNode
	// LightNode is an op-node that follows op-supernode.
	LightNode
)

// SidecarConfig is the configuration of a Crosscheck beside this stack, under a name of its own. It reads everything through the
// stack's proxies.
func (s *Stack) SidecarConfig(name string, node RollupNode) (sidecar.Config, error) {
	config := sidecar.Config{
		Dir:    filepath.Join(s.Dir, "crosscheck-"+name),
		L1:     s.Faults.L1.URL(),
		Follow: sidecar.FollowClamp,
		Ports:  sidecar.Ports{Follow: s.FollowPort()},
		Admin:  true,
	}
	for _, chain := range s.Members() {
		config.Chains = append(config.Chains, s.sidecarChain(chain, node))
	}
	return config, config.DrawPorts()
}

// LoneConfig is the configuration of a Crosscheck that watches the lone chain, and nothing else.
func (s *Stack) LoneConfig(name string) (sidecar.Config, error) {
	config := sidecar.Config{Dir: filepath.Join(s.Dir, "crosscheck-"+name), L1: s.Faults.L1.URL(), Admin: true}
	for _, chain := range s.Chains {
		if chain.Lone {
			config.Chains = append(config.Chains, s.sidecarChain(chain, SequencerNode))
		}
	}
	return config, config.DrawPorts()
}

// safeStall is far more than the bed's batches are apart.
const safeStall = time.Minute

func (s *Stack) sidecarChain(chain *Chain, node RollupNode) sidecar.ChainConfig {
	faults := s.Faults.Chains[chain.ID]
	config := sidecar.ChainConfig{
		ID:           chain.ID,
		Execution:    []string{faults.Execution.URL()},
		RollupNode:   faults.RollupURL(),
		BlockTime:    chain.Rollup.BlockTime,
		InteropTime:  chain.ActivationTime,
		SystemConfig: chain.Rollup.L1SystemConfigAddress,
		SafeStall:    safeStall,
		StaticPeers:  []string{chain.Sequencer.Multiaddr(), chain.Peers.AttesterAddress, chain.Peers.BystanderAddress},
	}
	switch {
	case node == PlainNode && chain.Plain != nil:
		config.Execution, config.RollupNode = []string{chain.Plain.Execution.RPC()}, chain.Plain.Rollup.RPC()
		config.FollowUpstream = faults.RollupURL()
	case node == LightNode && chain.Light != nil:
		config.Execution, config.RollupNode = []string{chain.Light.Execution.RPC()}, chain.Light.Rollup.RPC()
	}
	return config
}
