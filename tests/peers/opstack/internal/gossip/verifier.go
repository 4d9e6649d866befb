package gossip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/metrics"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// What op-node's flags have by default.
const (
	oldestBlock  = 60 * time.Second
	banThreshold = -100
	banDuration  = time.Hour
)

// Verifier is op-node's own peer: its gossip, its validator and its scores, with nothing behind them but a record of the blocks that
// it takes. Unlike a Host it passes on what it finds right.
type Verifier struct {
	node  *p2p.NodeP2P
	taken *journal[Taken]
	stop  context.CancelFunc
}

// Taken is a block that op-node took.
type Taken struct {
	Block eth.BlockID
	// From is the peer that sent it.
	From peer.ID
}

// NewVerifier starts op-node's peer, on a loopback port of its own. The signer is who may sign blocks.
func NewVerifier(config *rollup.Config, signer common.Address, name string, logger log.Logger) (*Verifier, error) {
	setup, err := hostConfig(name)
	if err != nil {
		return nil, err
	}
	if setup.ScoringParams, err = p2p.GetScoringParams("light", config.BlockTime); err != nil {
		return nil, fmt.Errorf("op-node has no such scores: %w", err)
	}
	setup.BanningEnabled, setup.BanningThreshold, setup.BanningDuration = true, banThreshold, banDuration
	setup.GossipTimestampThreshold, setup.FloodPublish = oldestBlock, false
	ctx, stop := context.WithCancel(context.Background())
	verifier := &Verifier{taken: newJournal[Taken](), stop: stop}
	verifier.node, err = p2p.NewNodeP2P(
		ctx, config, logger, setup, verifier, nil, only(signer), metrics.NoopMetrics, clock.SystemClock,
	)
	if err != nil {
		stop()
		return nil, fmt.Errorf("cannot start op-node's peer %s: %w", name, err)
	}
	return verifier, nil
}

// OnUnsafeL2Payload is told of each block that op-node took.
func (v *Verifier) OnUnsafeL2Payload(_ context.Context, from peer.ID, envelope *eth.ExecutionPayloadEnvelope) error {
	v.taken.add(Taken{Block: envelope.ExecutionPayload.ID(), From: from})
	return nil
}

// ID is the peer id.
func (v *Verifier) ID() peer.ID { return v.node.Host().ID() }

// Multiaddr is where it can be dialled, its peer id included.
func (v *Verifier) Multiaddr() (string, error) {
	host := v.node.Host()
	addresses, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: host.ID(), Addrs: host.Network().ListenAddresses()})
	if err != nil || len(addresses) == 0 {
		return "", errors.Join(fmt.Errorf("op-node's peer %s listens nowhere", host.ID()), err)
	}
	return addresses[0].String(), nil
}

// Taken are the blocks that it took, in order.
func (v *Verifier) Taken() []Taken { return v.taken.all() }

// AwaitTaken waits until it takes a block, or has taken it.
func (v *Verifier) AwaitTaken(ctx context.Context, hash common.Hash) (Taken, error) {
	taken, err := v.taken.await(ctx, func(taken Taken) bool { return taken.Block.Hash == hash })
	if err != nil {
		return taken, fmt.Errorf("op-node's peer did not take block %s: %w", hash, err)
	}
	return taken, nil
}

// AwaitListener waits until a peer listens to blocks.
func (v *Verifier) AwaitListener(ctx context.Context, id peer.ID) error {
	ticker := time.NewTicker(listenerPoll)
	defer ticker.Stop()
	for !slices.Contains(v.node.GossipOut().BlocksTopicV4Peers(), id) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("peer %s did not subscribe to blocks: %w", id, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

// Score is what it thinks of a peer.
func (v *Verifier) Score(id peer.ID) (float64, error) {
	score, err := v.node.GetPeerScore(id)
	if err != nil {
		return 0, fmt.Errorf("op-node's peer has no score of %s: %w", id, err)
	}
	return score, nil
}

// Stop ends it.
func (v *Verifier) Stop() error {
	defer v.stop()
	if err := v.node.Close(); err != nil {
		return fmt.Errorf("op-node's peer does not end: %w", err)
	}
	return nil
}

// only is the one address that may sign.
type only common.Address

// P2PSequencerAddress is that address.
func (o only) P2PSequencerAddress() common.Address { return common.Address(o) }

// PreviousP2PSequencerAddress is nobody's.
func (o only) PreviousP2PSequencerAddress() common.Address { return common.Address{} }

// ConfirmCurrentSigner has nothing to end.
func (o only) ConfirmCurrentSigner() {}
