package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
	"github.com/ethereum-optimism/optimism/op-node/config"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	oprpc "github.com/ethereum-optimism/optimism/op-service/rpc"
	snconfig "github.com/ethereum-optimism/optimism/op-supernode/config"
	"github.com/ethereum-optimism/optimism/op-supernode/supernode"
)

// Supernode is an op-supernode: sequencer and verifier of several chains, with its verification of messages on.
type Supernode struct {
	options SupernodeOptions
	user    *relay.Relay

	mu     sync.Mutex
	node   *supernode.Supernode
	cancel context.CancelFunc
}

// SupernodeOptions say which chains it runs, and how.
type SupernodeOptions struct {
	Dir    string
	L1     L1
	Logger log.Logger
	// Chains are its virtual nodes.
	Chains map[*network.Chain]RollupOptions
}

// NewSupernode prepares a supernode. It has its address from now on.
func NewSupernode(options SupernodeOptions) (*Supernode, error) {
	user, err := relay.New()
	if err != nil {
		return nil, err
	}
	return &Supernode{options: options, user: user}, nil
}

// RPC is the URL of the supernode's own methods.
func (s *Supernode) RPC() string { return s.user.URL() }

// ChainRPC is the URL of a chain's virtual node.
func (s *Supernode) ChainRPC(chain uint64) string {
	return fmt.Sprintf("%s/%d/", s.user.URL(), chain)
}

// Start starts the supernode. One that runs is left alone.
func (s *Supernode) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node != nil {
		return nil
	}
	cfg := &snconfig.CLIConfig{
		DataDir:            filepath.Join(s.options.Dir, "supernode"),
		L1NodeAddr:         s.options.L1.RPC,
		L1HTTPPollInterval: 250 * time.Millisecond,
		L1BeaconAddr:       s.options.L1.Beacon,
		RPCConfig:          oprpc.CLIConfig{ListenAddr: "127.0.0.1", EnableAdmin: true},
	}
	nodes := map[eth.ChainID]*config.Config{}
	for chain, options := range s.options.Chains {
		rollup, err := rollupConfig(chain, options)
		if err != nil {
			return err
		}
		// The supernode keeps a database of its own in its data directory.
		rollup.SafeDBPath = ""
		nodes[eth.ChainIDFromUInt64(chain.ID)] = rollup
		cfg.Chains = append(cfg.Chains, chain.ID)
	}
	return s.launch(ctx, cfg, nodes)
}

func (s *Supernode) launch(ctx context.Context, cfg *snconfig.CLIConfig, nodes map[eth.ChainID]*config.Config) error {
	running, cancel := context.WithCancel(context.Background())
	failed := func(cause error) { s.options.Logger.Error("op-supernode ended by itself", "err", cause) }
	node, err := supernode.New(running, s.options.Logger, "", "", failed, cfg, nodes)
	if err != nil {
		cancel()
		return fmt.Errorf("cannot set up op-supernode: %w", err)
	}
	if err := node.Start(running); err != nil {
		cancel()
		return fmt.Errorf("cannot start op-supernode: %w", err)
	}
	s.node, s.cancel = node, cancel
	address, err := node.WaitRPCAddr(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("op-supernode does not listen: %w", err), s.end())
	}
	return s.user.Open(address)
}

// Stop ends the supernode. Its data stay on disk.
func (s *Supernode) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end()
}

// end needs the lock.
func (s *Supernode) end() error {
	if s.node == nil {
		return nil
	}
	s.user.Shut()
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := s.node.Stop(ctx)
	s.node = nil
	if err != nil {
		return fmt.Errorf("op-supernode did not end well: %w", err)
	}
	return nil
}

// Slow has its JSON-RPC answer later, that of its virtual nodes, too. Zero: at once.
func (s *Supernode) Slow(delay time.Duration) { s.user.Slow(delay) }

// Close ends the supernode for good, and gives up its address.
func (s *Supernode) Close() error {
	return errors.Join(s.Stop(), s.user.Close())
}
