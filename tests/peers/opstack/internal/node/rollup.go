// Package node runs the OP Stack's own programs in this process: execution clients, rollup nodes, the supernode, batchers and the
// interop filter; and kona-node, which is a process of its own. Each can be stopped, started again and slowed down, and keeps its
// addresses. It knows no scenario, and judges nothing.
package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/opnode"
	"github.com/ethereum-optimism/optimism/op-service/clock"
)

// stopTimeout is how long a program may take to end by itself.
const stopTimeout = 10 * time.Second

// Rollup is an op-node: a sequencer, a verifier that derives, or a follower.
type Rollup struct {
	Chain *network.Chain

	options RollupOptions
	user    *relay.Relay

	mu   sync.Mutex
	node *opnode.Opnode
}

// NewRollup prepares an op-node. It has its addresses from now on.
func NewRollup(chain *network.Chain, options RollupOptions) (*Rollup, error) {
	user, err := relay.New()
	if err != nil {
		return nil, err
	}
	return &Rollup{Chain: chain, options: options, user: user}, nil
}

// RPC is the URL of the JSON-RPC server.
func (r *Rollup) RPC() string { return r.user.URL() }

// Identity is how its gossip is reached.
func (r *Rollup) Identity() *Identity { return r.options.Identity }

// Start starts the node. One that runs is left alone.
func (r *Rollup) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node != nil {
		return nil
	}
	cfg, err := rollupConfig(r.Chain, r.options)
	if err != nil {
		return err
	}
	node, err := opnode.NewOpnode(r.options.Logger, cfg, clock.SystemClock, func(err error) {
		r.options.Logger.Error("op-node ended by itself", "name", r.options.Name, "err", err)
	})
	if err != nil {
		return fmt.Errorf("cannot start op-node %s: %w", r.options.Name, err)
	}
	r.node = node
	return r.user.Open(node.UserRPC().RPC())
}

// Stop ends the node.
func (r *Rollup) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == nil {
		return nil
	}
	r.user.Shut()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := r.node.Stop(ctx)
	r.node = nil
	if err != nil {
		return fmt.Errorf("op-node %s did not end well: %w", r.options.Name, err)
	}
	return nil
}

// Slow has its JSON-RPC answer later. Zero: at once.
func (r *Rollup) Slow(delay time.Duration) { r.user.Slow(delay) }

// Close ends the node for good, and gives up its address.
func (r *Rollup) Close() error {
	return errors.Join(r.Stop(), r.user.Close())
}
