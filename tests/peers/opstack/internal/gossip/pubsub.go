package gossip

import (
	"context"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

const (
	maxMessageSize = 10 << 20
	queueSize      = 1024
	// seenTime is how long op-node remembers a message's id.
	seenTime = 65 * time.Second
)

// newPubSub is op-node's gossip but for three things. It knows one topic more, which op-node's own constructor refuses.
// It scores nobody. And messages are looked at one by one, in the order in which they come.
func newPubSub(ctx context.Context, on host.Host, config *rollup.Config, setup *p2p.Config) (*pubsub.PubSub, error) {
	var allowed []string
	for _, topic := range Topics() {
		path, err := topic.Path(config.L2ChainID.Uint64())
		if err != nil {
			return nil, err
		}
		allowed = append(allowed, path)
	}
	options := []pubsub.Option{
		pubsub.WithMaxMessageSize(maxMessageSize),
		pubsub.WithMessageIdFn(p2p.BuildMsgIdFn(config)),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(allowed...)),
		pubsub.WithValidateQueueSize(queueSize),
		pubsub.WithPeerOutboundQueueSize(queueSize),
		pubsub.WithValidateWorkers(1),
		pubsub.WithSeenMessagesTTL(seenTime),
		pubsub.WithPeerExchange(false),
	}
	return pubsub.NewGossipSub(ctx, on, append(options, setup.ConfigureGossip(config)...)...)
}
