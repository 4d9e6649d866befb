package stack

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"crosscheck.dev/opstack/internal/gossip"
)

// Peers are a chain's gossip peers that are no nodes.
type Peers struct {
	// Attester signs with the sequencer's key. It is off until it is switched on.
	Attester *gossip.Attester
	// AttesterAddress is where it can be dialled.
	AttesterAddress string
	// Bystander holds no key. It is off until it is switched on.
	Bystander *gossip.Bystander
	// BystanderAddress is where it can be dialled.
	BystanderAddress string

	attester, bystander *gossip.Host
}

// AttesterID is the attester's peer id.
func (p *Peers) AttesterID() string { return p.attester.ID().String() }

// AwaitListener waits until a peer hears what the attester publishes.
func (p *Peers) AwaitListener(ctx context.Context, id string) error {
	who, err := peer.Decode(id)
	if err != nil {
		return fmt.Errorf("cannot read the peer id %q: %w", id, err)
	}
	return p.attester.AwaitListener(ctx, gossip.CrossSafe, who)
}

func (s *Stack) startGossip(ctx context.Context) error {
	for _, chain := range s.Chains {
		peers, err := s.startPeers(chain)
		if err != nil {
			return fmt.Errorf("chain %d: %w", chain.ID, err)
		}
		chain.Peers = peers
		// They hear the sequencer's blocks; Crosscheck dials them itself.
		for _, host := range []*gossip.Host{peers.attester, peers.bystander} {
			if err := host.Connect(context.WithoutCancel(ctx), chain.Sequencer.Multiaddr()); err != nil {
				return fmt.Errorf("chain %d: %w", chain.ID, err)
			}
		}
	}
	return nil
}

func (s *Stack) startPeers(chain *Chain) (*Peers, error) {
	peers := &Peers{}
	var err error
	if peers.attester, peers.AttesterAddress, err = s.startHost(chain, "attester"); err != nil {
		return nil, err
	}
	if peers.bystander, peers.BystanderAddress, err = s.startHost(chain, "bystander"); err != nil {
		return nil, err
	}
	peers.Attester, err = gossip.NewAttester(peers.attester, gossip.AttesterOptions{
		Rollup: chain.Rollup, Key: chain.SequencerKey, StatusURL: chain.VerifierRPC, ExecutionURL: chain.Execution.RPC(),
	})
	if err != nil {
		return nil, err
	}
	if peers.Bystander, err = gossip.NewBystander(peers.bystander); err != nil {
		return nil, err
	}
	return peers, nil
}

func (s *Stack) startHost(chain *Chain, role string) (*gossip.Host, string, error) {
	logger, err := s.logs.open(fmt.Sprintf("gossip-%d-%s", chain.ID, role))
	if err != nil {
		return nil, "", err
	}
	host, err := gossip.NewHost(chain.Rollup, role, logger)
	if err != nil {
		return nil, "", err
	}
	s.onClose(host.Stop)
	address, err := host.Multiaddr()
	if err != nil {
		return nil, "", errors.Join(err, host.Stop())
	}
	return host, address, nil
}
