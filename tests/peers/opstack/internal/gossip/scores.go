package gossip

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-service/client"
	"github.com/ethereum-optimism/optimism/op-service/sources"
)

// Score is what an op-node thinks of a peer. op-node writes it down every 15 seconds.
type Score struct {
	// Known is false where the node has never heard of the peer. The rest is zero then.
	Known     bool
	Connected bool
	// OnBlocks says that the peer is subscribed to a topic of blocks.
	OnBlocks bool
	// Gossip is the total, the application's share included. Below 0 the peer is pruned from the mesh.
	Gossip float64
	// Behaviour counts broken gossip rules; IPColocation the peers too many behind one address.
	Behaviour    float64
	IPColocation float64
	// Application is the share of what the peer answered to requests.
	Application float64
	Agent       string
}

// Scores asks an op-node for its peers. It changes nothing there.
type Scores struct {
	url    string
	rpc    *rpc.Client
	peers  *sources.P2PClient
	params p2p.ApplicationScoreParams
}

// DialScores makes a client of a node that serves opp2p.
func DialScores(ctx context.Context, url string) (*Scores, error) {
	connection, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("cannot dial %s: %w", url, err)
	}
	return &Scores{
		url:   url,
		rpc:   connection,
		peers: sources.NewP2PClient(client.NewBaseRPCClient(connection)),
		// The weights do not depend on the block time, which is what this asks for.
		params: p2p.LightApplicationScoreParams(0),
	}, nil
}

// Of is the node's score of a peer.
func (s *Scores) Of(ctx context.Context, id peer.ID) (Score, error) {
	dump, err := s.peers.Peers(ctx, false)
	if err != nil {
		return Score{}, fmt.Errorf("cannot read the peers of %s: %w", s.url, err)
	}
	info := dump.Peers[id.String()]
	if info == nil {
		return Score{}, nil
	}
	gossip, answers := info.PeerScores.Gossip, info.PeerScores.ReqResp
	return Score{
		Known:        true,
		Connected:    info.Connectedness == network.Connected,
		OnBlocks:     info.GossipBlocks,
		Gossip:       gossip.Total,
		Behaviour:    gossip.BehavioralPenalty,
		IPColocation: gossip.IPColocationFactor,
		Application: answers.ValidResponses*s.params.ValidResponseWeight +
			answers.ErrorResponses*s.params.ErrorResponseWeight +
			answers.RejectedPayloads*s.params.RejectedPayloadWeight,
		Agent: info.UserAgent,
	}, nil
}

// Close hangs up.
func (s *Scores) Close() { s.rpc.Close() }
