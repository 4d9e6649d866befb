package gossip

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

const (
	redialPause = 300 * time.Millisecond
	// keptTag marks a peer that the connection manager must not prune.
	keptTag = "kept"
)

// Connect keeps a connection to a peer until the context ends or the host is stopped: it dials until the peer answers,
// and again when the connection is lost. It returns at once; an error means that the address is none.
func (h *Host) Connect(ctx context.Context, address string) error {
	target, err := peer.AddrInfoFromString(address)
	if err != nil {
		return fmt.Errorf("%q is no address of a peer: %w", address, err)
	}
	h.host.ConnManager().Protect(target.ID, keptTag)
	h.host.Peerstore().AddAddrs(target.ID, target.Addrs, peerstore.PermanentAddrTTL)
	changed, unwatch := h.watch(target.ID)
	h.kept.Add(1)
	go func() {
		defer h.kept.Done()
		defer unwatch()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(h.ctx, cancel)()
		h.keep(ctx, *target, changed)
	}()
	return nil
}

func (h *Host) keep(ctx context.Context, target peer.AddrInfo, changed <-chan struct{}) {
	for ctx.Err() == nil {
		var again <-chan time.Time // Never, while there is a connection.
		if !h.Connected(target.ID) {
			if err := h.dial(ctx, target); err != nil {
				h.log.Debug("A peer cannot be dialled", "peer", target.ID, "err", err)
				again = time.After(redialPause)
			}
		}
		select {
		case <-ctx.Done():
		case <-again:
		case <-changed:
		}
	}
}

func (h *Host) dial(ctx context.Context, target peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	// libp2p would not try a peer again for seconds after a failure. A peer that restarts is wanted back sooner.
	if network, ok := h.host.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		network.Backoff().Clear(target.ID)
	}
	return h.host.Connect(ctx, target)
}

// Connected says whether there is a connection to a peer, whoever dialled.
func (h *Host) Connected(id peer.ID) bool {
	return h.host.Network().Connectedness(id) == network.Connected
}

// AwaitConnected waits for a connection to a peer, whoever dials.
func (h *Host) AwaitConnected(ctx context.Context, id peer.ID) error {
	changed, unwatch := h.watch(id)
	defer unwatch()
	for !h.Connected(id) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("there is no connection to peer %s: %w", id, ctx.Err())
		case <-changed:
		}
	}
	return nil
}

// Disconnect closes the connections to a peer. One that is kept is dialled again.
func (h *Host) Disconnect(id peer.ID) error {
	if err := h.host.Network().ClosePeer(id); err != nil {
		return fmt.Errorf("cannot disconnect from peer %s: %w", id, err)
	}
	return nil
}

// watch tells when a connection to a peer comes or goes. Several changes may show as one.
func (h *Host) watch(id peer.ID) (changed <-chan struct{}, unwatch func()) {
	signal := make(chan struct{}, 1)
	note := func(_ network.Network, connection network.Conn) {
		if connection.RemotePeer() != id {
			return
		}
		select {
		case signal <- struct{}{}:
		default:
		}
	}
	bundle := &network.NotifyBundle{ConnectedF: note, DisconnectedF: note}
	h.host.Network().Notify(bundle)
	return signal, func() { h.host.Network().StopNotify(bundle) }
}
