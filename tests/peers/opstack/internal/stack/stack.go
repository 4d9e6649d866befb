package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"

	"crosscheck.dev/opstack/internal/l1"
	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/node"
	"crosscheck.dev/opstack/internal/ports"
	"crosscheck.dev/opstack/internal/relay"
)

// Stack is everything that runs.
type Stack struct {
	Options
	Dir       string
	Network   *network.Network
	L1        *l1.L1
	Supernode *node.Supernode
	// Rulings are what op-supernode judged invalid.
	Rulings *node.Rulings
	Filter  *node.Filter
	Monitor *node.Monitor
	Chains  []*Chain
	// Faults stand between Crosscheck and everything that it reads.
	Faults *Faults

	// filter is the way to op-interop-filter for those who try it by hand.
	filter  *relay.Relay
	logs    *logs
	jwt     *node.JWT
	closers []func() error
	follow  int
	// identities are those of all rollup nodes, by chain and role.
	identities map[string]*node.Identity
}

// Start brings a stack up in a directory. The context bounds the start only.
func Start(ctx context.Context, dir string, options Options) (*Stack, error) {
	logs, err := newLogs(dir + "/logs")
	if err != nil {
		return nil, err
	}
	s := &Stack{Options: options, Dir: dir, logs: logs, Rulings: node.NewRulings(), identities: map[string]*node.Identity{}}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	steps := []func(context.Context) error{
		s.startBase, s.startMembers, s.startSequencers, s.startSupernode, s.startBatchers, s.startFaults, s.startGossip,
		s.startSideNodes, s.startKona, s.startFilter, s.startMonitor,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startBase makes the chains and starts L1.
func (s *Stack) startBase(ctx context.Context) error {
	var err error
	if s.Network, err = network.New(s.network(time.Now())); err != nil {
		return err
	}
	if s.jwt, err = node.NewJWT(s.Dir); err != nil {
		return err
	}
	if s.follow, err = s.port(); err != nil {
		return err
	}
	logger, err := s.logs.open("l1")
	if err != nil {
		return err
	}
	s.L1, err = l1.Start(ctx, s.Network, s.Dir, logger)
	if err != nil {
		return err
	}
	s.onClose(s.L1.Stop)
	return nil
}

// startMembers starts the execution clients of all sequencers.
func (s *Stack) startMembers(ctx context.Context) error {
	for _, chain := range s.Network.Chains {
		execution, err := s.startExecution(chain, roleSequencer)
		if err != nil {
			return err
		}
		client, err := ethclient.DialContext(ctx, execution.RPC())
		if err != nil {
			return fmt.Errorf("cannot reach the execution client of chain %d: %w", chain.ID, err)
		}
		s.onClose(func() error { client.Close(); return nil })
		s.Chains = append(s.Chains, &Chain{Chain: chain, Execution: execution, Client: client})
	}
	return nil
}

func (s *Stack) startSupernode(ctx context.Context) error {
	if len(s.Members()) == 0 {
		return nil
	}
	logger, err := s.logs.open("op-supernode")
	if err != nil {
		return err
	}
	options := node.SupernodeOptions{
		Dir: s.Dir, L1: s.nodeL1(), Logger: s.Rulings.Watch(logger), Chains: map[*network.Chain]node.RollupOptions{},
	}
	for _, chain := range s.Members() {
		if options.Chains[chain.Chain], err = s.virtualNode(chain); err != nil {
			return err
		}
	}
	if s.Supernode, err = node.NewSupernode(options); err != nil {
		return err
	}
	s.onClose(s.Supernode.Close)
	for _, chain := range s.Members() {
		chain.VerifierRPC = s.Supernode.ChainRPC(chain.ID)
		if chain.solo == nil {
			chain.SequencerRPC = chain.VerifierRPC
		}
	}
	if err := s.Supernode.Start(ctx); err != nil {
		return err
	}
	for _, chain := range s.Members() {
		if err := answers(ctx, chain.VerifierRPC); err != nil {
			return err
		}
	}
	return nil
}

// virtualNode is op-supernode's node of a chain: its sequencer, or a verifier beside an op-node that sequences.
func (s *Stack) virtualNode(chain *Chain) (node.RollupOptions, error) {
	role, execution := roleSequencer, chain.Execution
	if chain.solo != nil {
		role, execution = roleVerifier, chain.Verifier
	}
	rollup, err := s.rollupOptions(chain.Chain, role, execution)
	if err != nil {
		return rollup, err
	}
	if chain.solo != nil {
		rollup.Peers = []string{chain.Sequencer.Multiaddr()}
		return rollup, nil
	}
	rollup.Sequencer, chain.Sequencer = true, rollup.Identity
	rollup.Peers, err = s.sidePeers(chain)
	return rollup, err
}

// The roles of a chain's main nodes.
const (
	roleSequencer = "sequencer"
	roleVerifier  = "verifier"
)

// startSequencers starts a plain op-node as the sequencer of each chain that op-supernode does not sequence: the one with a dependency set
// of its own, and all where that was asked for.
func (s *Stack) startSequencers(context.Context) error {
	for _, chain := range s.Chains {
		if !chain.Lone && !s.PlainSequencers {
			continue
		}
		if !chain.Lone {
			var err error
			if chain.Verifier, err = s.startExecution(chain.Chain, roleVerifier, chain.Execution.Enode()); err != nil {
				return err
			}
		}
		options, err := s.rollupOptions(chain.Chain, roleSequencer, chain.Execution)
		if err != nil {
			return err
		}
		options.Sequencer = true
		if options.Peers, err = s.sidePeers(chain); err != nil {
			return err
		}
		if chain.solo, err = node.NewRollup(chain.Chain, options); err != nil {
			return err
		}
		s.onClose(chain.solo.Close)
		chain.Sequencer, chain.SequencerRPC, chain.VerifierRPC = options.Identity, chain.solo.RPC(), chain.solo.RPC()
		if err := chain.solo.Start(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) startBatchers(ctx context.Context) error {
	for _, chain := range s.Chains {
		logger, err := s.logs.open(fmt.Sprintf("op-batcher-%d", chain.ID))
		if err != nil {
			return err
		}
		chain.Batcher, err = node.NewBatcher(chain.Chain, node.BatcherOptions{
			L1: s.nodeL1(), Execution: chain.Execution.RPC(), Rollup: chain.SequencerRPC, Logger: logger,
		})
		if err != nil {
			return err
		}
		s.onClose(chain.Batcher.Close)
		if err := chain.Batcher.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// side is a node that does not sequence.
type side struct {
	role string
	pair **Pair
	// source is whom it follows. It is asked for when the node starts.
	source func() string
}

// sides are the nodes of a chain that do not sequence.
func (s *Stack) sides(chain *Chain) []side {
	verifier := func() string { return chain.VerifierRPC }
	var wanted []side
	if s.PlainNodes {
		wanted = append(wanted, side{"plain", &chain.Plain, func() string { return "" }})
	}
	if s.LightNodes && !chain.Lone {
		wanted = append(wanted, side{"light", &chain.Light, verifier})
	}
	if s.Followers && (!chain.Lone || s.Kona) {
		crosscheck := func() string { return s.FollowURL(chain.ID) }
		wanted = append(wanted, side{"follower", &chain.Follower, crosscheck}, side{"control", &chain.Control, verifier})
	}
	return wanted
}

func (s *Stack) startSideNodes(context.Context) error {
	for _, chain := range s.Chains {
		for _, side := range s.sides(chain) {
			pair, err := s.startPair(chain, side.role, side.source())
			if err != nil {
				return err
			}
			*side.pair = pair
		}
	}
	return nil
}

func (s *Stack) startFilter(ctx context.Context) error {
	if !s.Options.Filter {
		return nil
	}
	logger, err := s.logs.open("op-interop-filter")
	if err != nil {
		return err
	}
	urls := map[*network.Chain]string{}
	for _, chain := range s.Members() {
		urls[chain.Chain] = chain.Execution.RPC()
	}
	if s.Filter, err = node.StartFilter(ctx, s.Dir, urls, logger); err != nil {
		return err
	}
	s.onClose(s.Filter.Stop)
	if s.filter, err = relay.New(); err != nil {
		return err
	}
	s.onClose(s.filter.Close)
	return s.filter.Open(s.Filter.RPC())
}

func (s *Stack) startMonitor(ctx context.Context) error {
	if !s.Options.Monitor {
		return nil
	}
	logger, err := s.logs.open("op-interop-mon")
	if err != nil {
		return err
	}
	urls := map[*network.Chain]string{}
	for _, chain := range s.Members() {
		urls[chain.Chain] = chain.Execution.RPC()
	}
	if s.Monitor, err = node.StartMonitor(ctx, urls, logger); err != nil {
		return err
	}
	s.onClose(s.Monitor.Close)
	return nil
}

// Members are the chains of the common dependency set.
func (s *Stack) Members() []*Chain {
	return slices.DeleteFunc(slices.Clone(s.Chains), func(c *Chain) bool { return c.Lone })
}

// Chain finds a chain by its id. It is nil where there is none.
func (s *Stack) Chain(id uint64) *Chain {
	for _, chain := range s.Chains {
		if chain.ID == id {
			return chain
		}
	}
	return nil
}

// FollowURL is where the follower of a chain looks for Crosscheck.
func (s *Stack) FollowURL(chain uint64) string {
	return fmt.Sprintf("%s/%d/", s.Faults.Follow.URL(), chain)
}

// FilterURL is where op-interop-filter is asked by hand. Measurements ask it without a detour.
func (s *Stack) FilterURL() string { return s.filter.URL() }

// FollowPort is the port at which followers look for Crosscheck.
func (s *Stack) FollowPort() int { return s.follow }

// filterURL is empty: execution clients ask no filter, so that invalid messages get into blocks.
func (s *Stack) filterURL() string { return "" }

func (s *Stack) nodeL1() node.L1 {
	return node.L1{RPC: s.L1.RPC(), Beacon: s.L1.Beacon(), Config: s.Network.L1.Config}
}

func (s *Stack) port() (int, error) {
	free, err := ports.Free(1)
	if err != nil {
		return 0, err
	}
	return free[0], nil
}

func (s *Stack) onClose(end func() error) {
	s.closers = append(s.closers, end)
}

// Close ends everything, the last started first.
func (s *Stack) Close() error {
	var result error
	for _, end := range slices.Backward(s.closers) {
		result = errors.Join(result, end())
	}
	s.closers = nil
	s.logs.close()
	return result
}
