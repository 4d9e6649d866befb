// Package gossip takes part in the block gossip of one chain, with op-node's own host, message ids and payload types:
// it attests blocks, truly or not, replays what others say, and records what is heard. It never judges a block, and
// passes nothing on that it was not told to publish: what a host sends is its own doing, so that a peer's score of it
// tells what the peer thinks of that alone.
package gossip

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"
	ds "github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	libp2p "github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/ethereum-optimism/optimism/op-node/metrics"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

const (
	dialTimeout = 5 * time.Second
	// The numbers of peers between which the connection manager lets things be. A test has far fewer.
	peersLow  = 50
	peersHigh = 100
)

// Host is a peer on the gossip network of one chain, on a loopback port of its own.
type Host struct {
	chainID uint64
	log     log.Logger
	host    host.Host
	pubsub  *pubsub.PubSub
	ctx     context.Context
	stop    context.CancelFunc
	kept    sync.WaitGroup

	mutex  sync.Mutex
	topics map[Topic]*joined
}

// NewHost starts a host with a fresh identity. Its name is the agent that peers are told.
func NewHost(config *rollup.Config, name string, logger log.Logger) (*Host, error) {
	setup, err := hostConfig(name)
	if err != nil {
		return nil, err
	}
	underlying, err := setup.Host(logger, nil, metrics.NoopMetrics)
	if err != nil {
		return nil, fmt.Errorf("cannot start the libp2p host %s: %w", name, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	router, err := newPubSub(ctx, underlying, config, setup)
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("cannot start gossip of %s: %w", name, err), underlying.Close())
	}
	return &Host{
		chainID: config.L2ChainID.Uint64(),
		log:     logger,
		host:    underlying,
		pubsub:  router,
		ctx:     ctx,
		stop:    stop,
		topics:  make(map[Topic]*joined),
	}, nil
}

// hostConfig is op-node's configuration of a peer that is found by nobody and keeps nothing on disk.
func hostConfig(name string) (*p2p.Config, error) {
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make an identity for %s: %w", name, err)
	}
	secp, ok := key.(*crypto.Secp256k1PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the identity of %s is a %T, not a secp256k1 key", name, key)
	}
	return &p2p.Config{
		Priv:         secp,
		NoDiscovery:  true,
		ListenIP:     net.IPv4(127, 0, 0, 1),
		HostMux:      []libp2p.Option{p2p.YamuxC()},
		HostSecurity: []libp2p.Option{p2p.NoiseC()},
		PeersLo:      peersLow,
		PeersHi:      peersHigh,
		PeersGrace:   time.Minute,
		// With few peers a mesh takes a while to form. What we publish shall reach whoever listens by then.
		FloodPublish: true,
		UserAgent:    name,
		TimeoutDial:  dialTimeout,
		Store:        dssync.MutexWrap(ds.NewMapDatastore()),
	}, nil
}

// ID is the host's peer id.
func (h *Host) ID() peer.ID { return h.host.ID() }

// Multiaddr is where the host can be dialled, its peer id included.
func (h *Host) Multiaddr() (string, error) {
	addresses, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: h.host.ID(), Addrs: h.host.Network().ListenAddresses()})
	if err != nil {
		return "", fmt.Errorf("cannot name the address of host %s: %w", h.ID(), err)
	}
	if len(addresses) == 0 {
		return "", fmt.Errorf("host %s listens nowhere", h.ID())
	}
	return addresses[0].String(), nil
}

// Stop leaves every topic, and closes every connection.
func (h *Host) Stop() error {
	h.stop()
	h.kept.Wait()
	h.leave()
	if err := h.host.Close(); err != nil {
		return fmt.Errorf("cannot close host %s: %w", h.ID(), err)
	}
	return nil
}
