package node

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/log"
	gethnode "github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/p2p/enode"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/geth"
)

// maxPeers is more than there ever are.
const maxPeers = 20

// Execution is an op-geth that keeps its chain on disk.
type Execution struct {
	Chain *network.Chain

	options ExecutionOptions
	key     *ecdsa.PrivateKey
	user    *relay.Relay
	engine  *relay.Relay

	mu       sync.Mutex
	instance *geth.GethInstance
	// unwatch ends the watch over its sync, and waits for the end.
	unwatch func()
}

// ExecutionOptions say how an op-geth runs.
type ExecutionOptions struct {
	Name string
	Dir  string
	JWT  *JWT
	// Port is where it listens for other execution clients.
	Port int
	// Filter is the URL of the interop filter that its pool asks. Empty: it asks none. op-geth 1.101702.3 asks for
	// supervisor_checkAccessList. op-interop-filter 1.19.6 has that method under the name interop_checkAccessList only: with
	// this pair, the pool refuses every transaction that executes a message.
	Filter string
	// Peers are the execution clients that it stays connected to.
	Peers  []*enode.Node
	Logger log.Logger
}

// NewExecution prepares an op-geth. It has its addresses from now on.
func NewExecution(chain *network.Chain, options ExecutionOptions) (*Execution, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("cannot make a network key for %s: %w", options.Name, err)
	}
	user, err := relay.New()
	if err != nil {
		return nil, err
	}
	engine, err := relay.New()
	if err != nil {
		return nil, errors.Join(err, user.Close())
	}
	return &Execution{Chain: chain, options: options, key: key, user: user, engine: engine}, nil
}

// RPC is the URL of the JSON-RPC server.
func (e *Execution) RPC() string { return e.user.URL() }

// Engine is the URL of the engine API.
func (e *Execution) Engine() string { return e.engine.URL() }

// Enode is how other execution clients reach it.
func (e *Execution) Enode() *enode.Node {
	return enode.NewV4(&e.key.PublicKey, net.IPv4(127, 0, 0, 1), e.options.Port, 0)
}

// Start starts the client. One that runs is left alone.
func (e *Execution) Start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.instance != nil {
		return nil
	}
	instance, err := geth.InitL2(e.options.Name, e.Chain.Genesis, e.options.JWT.Path, e.configure)
	if err != nil {
		return fmt.Errorf("cannot set up op-geth %s: %w", e.options.Name, err)
	}
	if err := instance.Node.Start(); err != nil {
		return errors.Join(fmt.Errorf("cannot start op-geth %s: %w", e.options.Name, err), instance.Close())
	}
	e.instance = instance
	e.unwatch = e.watch()
	return errors.Join(e.user.Open(instance.Node.HTTPEndpoint()), e.engine.Open(instance.Node.HTTPAuthEndpoint()))
}

func (e *Execution) watch() func() {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	client := e.instance.Backend
	watching.Go(func() { unstick(ctx, client, e.options.Logger) })
	return func() { cancel(); watching.Wait() }
}

func (e *Execution) configure(eth *ethconfig.Config, node *gethnode.Config) error {
	eth.InteropMessageRPC = e.options.Filter
	eth.InteropMempoolFiltering = e.options.Filter != ""
	node.DataDir = filepath.Join(e.options.Dir, e.options.Name)
	node.P2P = p2p.Config{
		PrivateKey:  e.key,
		NoDiscovery: true,
		ListenAddr:  fmt.Sprintf("127.0.0.1:%d", e.options.Port),
		MaxPeers:    maxPeers,
		StaticNodes: e.options.Peers,
	}
	return nil
}

// Stop ends the client. Its chain stays on disk.
func (e *Execution) Stop() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.instance == nil {
		return nil
	}
	e.user.Shut()
	e.engine.Shut()
	e.unwatch()
	err := e.instance.Close()
	e.instance = nil
	if err != nil {
		return fmt.Errorf("op-geth %s did not end well: %w", e.options.Name, err)
	}
	return nil
}

// Slow has its JSON-RPC and its engine API answer later. Zero: at once.
func (e *Execution) Slow(delay time.Duration) {
	e.user.Slow(delay)
	e.engine.Slow(delay)
}

// Close ends the client for good, and gives up its addresses.
func (e *Execution) Close() error {
	return errors.Join(e.Stop(), e.user.Close(), e.engine.Close())
}
