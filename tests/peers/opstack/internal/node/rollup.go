package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/opnode"
	"github.com/ethereum-optimism/optimism/op-service/clock"
)

// stopTimeout is how long a program may take to end by itself.
const stopTimeout = 10 * time.Second

// Rollup is an op-node: a sequencer, a verifier that derives, or a follower.
type Rollup struct {
	Chain *network.Chain

	options RollupOptions
	user    *relay

	mu   sync.Mutex
	node *opnode.Opnode
}

// NewRollup prepares an op-node. It has its addresses from now on.
func NewRollup(chain *network.Chain, options RollupOptions) (*Rollup, error) {
	user, err := newRelay(options.Logger)
	if err != nil {
		return nil, err
	}
	return &Rollup{Chain: chain, options: options, user: user}, nil
}

// RPC is the URL of the JSON-RPC server.
func (r *Rollup) RPC() string { return r.user.url() }

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
	return r.user.open(node.UserRPC().RPC())
}

// Stop ends the node.
func (r *Rollup) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.node == nil {
		return nil
	}
	r.user.shut()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := r.node.Stop(ctx)
	r.node = nil
	if err != nil {
		return fmt.Errorf("op-node %s did not end well: %w", r.options.Name, err)
	}
	return nil
}

// Close ends the node for good, and gives up its address.
func (r *Rollup) Close() error {
	return errors.Join(r.Stop(), r.user.close())
}
