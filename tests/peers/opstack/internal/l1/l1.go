// Package l1 runs the L1 of a test bed: geth in this process, a proof-of-stake driver that builds its blocks through the
// engine API, and the part of a beacon node that serves blobs. The driver can be paused and can reorganise the chain. There is
// one L1 of a network and it has no peers. It keeps nothing over a restart, and never makes a block with a time to come.
package l1

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"

	"crosscheck.dev/opstack/internal/network"
)

// L1 is a running L1.
type L1 struct {
	network *network.Network
	node    *node.Node
	geth    *eth.Ethereum
	beacon  *beacon
	driver  *driver
	client  *ethclient.Client

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

// RPC is the HTTP address of geth itself. No fault stands in front of it.
func (l *L1) RPC() string { return l.node.HTTPEndpoint() }

// WS is the websocket address of geth itself.
func (l *L1) WS() string { return l.node.WSEndpoint() }

// Beacon is the HTTP address of the beacon node's part.
func (l *L1) Beacon() string { return l.beacon.url() }

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
