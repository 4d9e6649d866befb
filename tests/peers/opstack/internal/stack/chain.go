package stack

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/p2p/enode"
	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/node"
)

// Pair is a rollup node with its execution client.
type Pair struct {
	Execution *node.Execution
	Rollup    *node.Rollup
}

// Chain is a chain that runs.
type Chain struct {
	*network.Chain
	// Execution is the sequencer's execution client.
	Execution *node.Execution
	// Client asks it.
	Client *ethclient.Client
	// SequencerRPC is the sequencer's rollup node: op-supernode's route, or a plain op-node.
	SequencerRPC string
	// VerifierRPC is the rollup node whose word on messages counts: op-supernode's route, whoever sequences; of the lone chain, its op-node.
	VerifierRPC string
	// Verifier is the execution client of op-supernode where it does not sequence. Otherwise it is nil.
	Verifier *node.Execution
	// Sequencer is how the sequencer's gossip is reached.
	Sequencer *node.Identity
	Batcher   *node.Batcher
	// Plain derives for itself. Light follows op-supernode. Both are nil unless they were asked for.
	Plain, Light *Pair
	// Kona is a kona-node. It is nil unless it was asked for.
	Kona *KonaPair
	// Follower follows Crosscheck, Control follows op-supernode. Both are nil unless they were asked for.
	Follower, Control *Pair
	Peers             *Peers

	solo *node.Rollup
}

// Hold makes the batcher stop posting.
func (c *Chain) Hold(ctx context.Context) error { return c.Batcher.Hold(ctx) }

// Release makes the batcher post again, what was held included.
func (c *Chain) Release(ctx context.Context) error { return c.Batcher.Release(ctx) }

// TakeUpOrigins makes the sequencer take up each new block of L1 with its next block, which is empty then, or ends that.
func (c *Chain) TakeUpOrigins(ctx context.Context, on bool) error {
	sequencer, err := rpc.DialContext(ctx, c.SequencerRPC)
	if err != nil {
		return fmt.Errorf("the sequencer of chain %d is not reached: %w", c.ID, err)
	}
	defer sequencer.Close()
	if err := sequencer.CallContext(ctx, nil, "admin_setRecoverMode", on); err != nil {
		return fmt.Errorf("the sequencer of chain %d does not change its mode: %w", c.ID, err)
	}
	return nil
}

// startExecution starts an execution client. All but the sequencer's are connected to the sequencer's.
func (s *Stack) startExecution(chain *network.Chain, role string, peers ...*enode.Node) (*node.Execution, error) {
	name := fmt.Sprintf("op-geth-%d-%s", chain.ID, role)
	logger, err := s.logs.open(name)
	if err != nil {
		return nil, err
	}
	port, err := s.port()
	if err != nil {
		return nil, err
	}
	execution, err := node.NewExecution(chain, node.ExecutionOptions{
		Name: name, Dir: s.Dir, JWT: s.jwt, Port: port, Peers: peers, Filter: s.filterURL(), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	s.onClose(execution.Close)
	return execution, execution.Start()
}

// rollupOptions are what all rollup nodes have in common.
func (s *Stack) rollupOptions(chain *network.Chain, role string, execution *node.Execution) (node.RollupOptions, error) {
	name := fmt.Sprintf("op-node-%d-%s", chain.ID, role)
	logger, err := s.logs.open(name)
	if err != nil {
		return node.RollupOptions{}, err
	}
	identity, err := s.identity(chain.ID, role)
	if err != nil {
		return node.RollupOptions{}, err
	}
	return node.RollupOptions{
		Name: name, Dir: s.Dir, L1: s.nodeL1(), JWT: s.jwt, Execution: execution, Identity: identity, Logger: logger,
	}, nil
}

// identity is the gossip identity of a chain's node, the same each time it is asked for: others are told before it starts.
func (s *Stack) identity(chain uint64, role string) (*node.Identity, error) {
	name := fmt.Sprintf("%d-%s", chain, role)
	if known := s.identities[name]; known != nil {
		return known, nil
	}
	port, err := s.port()
	if err != nil {
		return nil, err
	}
	made, err := node.NewIdentity(port)
	if err != nil {
		return nil, err
	}
	s.identities[name] = made
	return made, nil
}

// sidePeers are the gossip addresses of the nodes that will stand beside a sequencer. It dials them itself: op-node comes back to a
// static peer only once a minute, and after each replacement the sequencer is a new one to them.
func (s *Stack) sidePeers(chain *Chain) ([]string, error) {
	var peers []string
	if chain.Verifier != nil {
		identity, err := s.identity(chain.ID, roleVerifier)
		if err != nil {
			return nil, err
		}
		peers = append(peers, identity.Multiaddr())
	}
	for _, side := range s.sides(chain) {
		identity, err := s.identity(chain.ID, side.role)
		if err != nil {
			return nil, err
		}
		peers = append(peers, identity.Multiaddr())
	}
	return peers, nil
}

// startPair starts a rollup node that is no sequencer, with an execution client of its own.
func (s *Stack) startPair(chain *Chain, role, followSource string) (*Pair, error) {
	execution, err := s.startExecution(chain.Chain, role, chain.Execution.Enode())
	if err != nil {
		return nil, err
	}
	options, err := s.rollupOptions(chain.Chain, role, execution)
	if err != nil {
		return nil, err
	}
	options.FollowSource = followSource
	options.Peers = []string{chain.Sequencer.Multiaddr()}
	rollup, err := node.NewRollup(chain.Chain, options)
	if err != nil {
		return nil, err
	}
	s.onClose(rollup.Close)
	return &Pair{Execution: execution, Rollup: rollup}, rollup.Start()
}
