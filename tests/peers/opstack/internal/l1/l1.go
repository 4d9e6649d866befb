// Package l1 runs the L1 of a test bed: geth in this process, a proof-of-stake driver that builds its blocks through the
// engine API, and the part of a beacon node that serves blobs. The driver can be paused and can reorganise the chain. There is
// one L1 of a network and it has no peers. It keeps nothing over a restart, and never makes a block with a time to come.
package l1

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
)

// L1 is a running L1.
type L1 struct {
	network *network.Network
	node    *node.Node
	geth    *eth.Ethereum
	beacon  *beacon
	driver  *driver
	client  *ethclient.Client
	// rpc and blobs are the ways to geth and to the beacon node's part, for everybody outside this process.
	rpc, blobs *relay.Relay

	// sending is held from the choice of a nonce until the transaction with it is in the pool.
	sending sync.Mutex
	cancel  context.CancelFunc
	running sync.WaitGroup
	stop    func() error
}

// Start starts the L1 of a network. Blobs that wait for inclusion are kept in the directory. The context bounds the start
// only: what was started goes on until [L1.Stop].
func Start(ctx context.Context, n *network.Network, dir string, logger log.Logger) (*L1, error) {
	l := &L1{network: n}
	l.stop = sync.OnceValue(l.end)
	if err := l.start(ctx, dir, logger); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start L1: %w", err), l.Stop())
	}
	return l, nil
}

func (l *L1) start(ctx context.Context, dir string, logger log.Logger) error {
	var err error
	if l.node, l.geth, err = newGeth(l.network.L1, dir, logger); err != nil {
		return err
	}
	if err := l.node.Start(); err != nil {
		return fmt.Errorf("geth: %w", err)
	}
	l.client = ethclient.NewClient(l.node.Attach())
	if l.beacon, err = startBeacon(l.network.L1.Timestamp, l.network.L1BlockTime); err != nil {
		return err
	}
	if l.rpc, err = relay.New(); err != nil {
		return err
	}
	if l.blobs, err = relay.New(); err != nil {
		return err
	}
	if err := l.open(); err != nil {
		return err
	}
	l.driver = newDriver(l.network, l.geth, l.beacon, logger)
	if err := l.driver.begin(ctx); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.running.Go(func() { l.driver.run(running) })
	return nil
}

// Stop ends the L1 and returns when nothing of it runs any more. Only the first call does anything.
func (l *L1) Stop() error { return l.stop() }

func (l *L1) end() error {
	var result error
	if l.cancel != nil {
		l.cancel()
		l.running.Wait()
		l.driver.close() // Waits for a reorganisation that someone else runs.
	}
	for _, way := range []*relay.Relay{l.rpc, l.blobs} {
		if way != nil {
			result = errors.Join(result, way.Close())
		}
	}
	if l.beacon != nil {
		result = errors.Join(result, l.beacon.close())
	}
	if l.client != nil {
		l.client.Close()
	}
	if l.node != nil {
		result = errors.Join(result, l.node.Close())
	}
	return result
}

// open lets clients through.
func (l *L1) open() error {
	return errors.Join(l.rpc.Open(l.node.HTTPEndpoint()), l.blobs.Open(l.beacon.url()))
}

// Halt ends the building of blocks, and answers nobody, until [L1.Continue]: as if L1 were gone. What it has stays.
func (l *L1) Halt(ctx context.Context) error {
	l.rpc.Shut()
	l.blobs.Shut()
	return l.Pause(ctx)
}

// Continue ends a halt.
func (l *L1) Continue(ctx context.Context) error { return errors.Join(l.open(), l.Resume(ctx)) }

// Slow has geth and the beacon node's part answer later. Zero: at once.
func (l *L1) Slow(delay time.Duration) {
	l.rpc.Slow(delay)
	l.blobs.Slow(delay)
}

// RPC is the HTTP address of geth. No fault of a scenario stands in front of it.
func (l *L1) RPC() string { return l.rpc.URL() }

// WS is the websocket address of geth itself.
func (l *L1) WS() string { return l.node.WSEndpoint() }

// Beacon is the HTTP address of the beacon node's part.
func (l *L1) Beacon() string { return l.blobs.URL() }

// Client talks to geth within this process.
func (l *L1) Client() *ethclient.Client { return l.client }

// Head is the newest block.
func (l *L1) Head() *types.Header { return l.geth.BlockChain().CurrentBlock() }

// Pause ends the building of blocks, until [L1.Resume]. No block comes after it has returned. A reorganisation can be done
// all the same.
func (l *L1) Pause(ctx context.Context) error { return l.driver.setPaused(ctx, true) }

// Resume has blocks built again. The slots that went by stay empty.
func (l *L1) Resume(ctx context.Context) error { return l.driver.setPaused(ctx, false) }

// Reorg replaces the newest blocks by other ones, and adds one, so that the new branch is longer. It becomes the chain at one
// stroke. Each new block takes the slot and the transactions of the block that it replaces, without those that are dropped;
// drop is nil to keep all. After a sender's first dropped transaction all later ones of the sender are dropped too. Dropped
// transactions leave the pool. What is final is not replaced: that is an error, and nothing happens.
func (l *L1) Reorg(ctx context.Context, depth int, drop func(*types.Transaction) bool) (*Reorg, error) {
	done, err := l.driver.reorg(ctx, depth, drop)
	if err != nil {
		return nil, fmt.Errorf("cannot replace %d blocks of L1: %w", depth, err)
	}
	return done, nil
}

// All says yes to every transaction: it has [L1.Reorg] drop all.
func All(*types.Transaction) bool { return true }
