package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
	"github.com/ethereum-optimism/optimism/op-batcher/batcher"
	batcherflags "github.com/ethereum-optimism/optimism/op-batcher/flags"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/setuputils"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum-optimism/optimism/op-service/endpoint"
	oprpc "github.com/ethereum-optimism/optimism/op-service/rpc"
)

// Batcher is an op-batcher.
type Batcher struct {
	Chain *network.Chain

	options BatcherOptions
	// execution and rollup are ways to what it reads that are its own: it is slow when they are.
	execution, rollup *relay.Relay
	mu                sync.Mutex
	service           *batcher.BatcherService
}

// BatcherOptions say what a batcher reads, and where it writes to.
type BatcherOptions struct {
	L1 L1
	// Execution and Rollup are URLs of the sequencer's execution client and rollup node.
	Execution string
	Rollup    string
	Logger    log.Logger
}

// NewBatcher prepares a batcher.
func NewBatcher(chain *network.Chain, options BatcherOptions) (*Batcher, error) {
	b := &Batcher{Chain: chain, options: options}
	var err error
	if b.execution, b.options.Execution, err = through(options.Execution); err != nil {
		return nil, err
	}
	if b.rollup, b.options.Rollup, err = through(options.Rollup); err != nil {
		return nil, errors.Join(err, b.execution.Close())
	}
	return b, nil
}

// through makes a way of its own to a URL.
func through(target string) (*relay.Relay, string, error) {
	way, err := relay.New()
	if err != nil {
		return nil, "", err
	}
	address, err := way.Of(target)
	if err := errors.Join(err, way.Open(target)); err != nil {
		return nil, "", errors.Join(err, way.Close())
	}
	return way, address, nil
}

// Start starts the batcher. One that runs is left alone.
func (b *Batcher) Start(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.service != nil {
		return nil
	}
	failed := func(cause error) {
		b.options.Logger.Error("op-batcher ended by itself", "chain", b.Chain.ID, "err", cause)
	}
	service, err := batcher.BatcherServiceFromCLIConfig(ctx, failed, "", b.config(), b.options.Logger)
	if err != nil {
		return fmt.Errorf("cannot set up the op-batcher of chain %d: %w", b.Chain.ID, err)
	}
	if err := service.Start(ctx); err != nil {
		return errors.Join(fmt.Errorf("cannot start the op-batcher of chain %d: %w", b.Chain.ID, err), service.Kill())
	}
	b.service = service
	return nil
}

func (b *Batcher) config() *batcher.CLIConfig {
	cfg := &batcher.CLIConfig{
		L1EthRpc:               b.options.L1.RPC,
		L2EthRpc:               []string{b.options.Execution},
		RollupRpc:              []string{b.options.Rollup},
		MaxPendingTransactions: 5,
		// A channel is closed with each L1 block, so that blocks become safe soon.
		MaxChannelDuration:    1,
		MaxL1TxSize:           120_000,
		TargetNumFrames:       1,
		ApproxComprRatio:      0.4,
		SubSafetyMargin:       4,
		PollInterval:          500 * time.Millisecond,
		TxMgrConfig:           setuputils.NewTxMgrConfig(endpoint.URL(b.options.L1.RPC), b.Chain.BatcherKey),
		BatchType:             derive.SingularBatchType,
		MaxBlocksPerSpanBatch: 10,
		DataAvailabilityType:  batcherflags.CalldataType,
		CompressionAlgo:       derive.Brotli,
		RPC:                   oprpc.CLIConfig{ListenAddr: "127.0.0.1", EnableAdmin: true},
	}
	if b.Chain.SpanBatches {
		cfg.BatchType = derive.SpanBatchType
	}
	if b.Chain.Blobs {
		cfg.DataAvailabilityType = batcherflags.BlobsType
	}
	// Osaka takes blobs with cell proofs only.
	cfg.TxMgrConfig.CellProofTime = 0
	return cfg
}

// Hold makes the batcher stop posting: blocks stay unsafe.
func (b *Batcher) Hold(ctx context.Context) error {
	return b.order(ctx, "admin_stopBatcher")
}

// Release makes it post again, what was held included.
func (b *Batcher) Release(ctx context.Context) error {
	return b.order(ctx, "admin_startBatcher")
}

func (b *Batcher) order(ctx context.Context, method string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.service == nil {
		return errors.New("the batcher does not run")
	}
	client, err := rpc.DialContext(ctx, b.service.HTTPEndpoint())
	if err != nil {
		return fmt.Errorf("cannot reach the op-batcher of chain %d: %w", b.Chain.ID, err)
	}
	defer client.Close()
	if err := client.CallContext(ctx, nil, method); err != nil {
		return fmt.Errorf("the op-batcher of chain %d refuses %s: %w", b.Chain.ID, method, err)
	}
	return nil
}

// Slow has all that it reads of its chain come later. Zero: at once.
func (b *Batcher) Slow(delay time.Duration) {
	b.execution.Slow(delay)
	b.rollup.Slow(delay)
}

// Close ends the batcher for good.
func (b *Batcher) Close() error {
	return errors.Join(b.Stop(), b.execution.Close(), b.rollup.Close())
}

// Stop ends the batcher.
func (b *Batcher) Stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.service == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := b.service.Stop(ctx)
	b.service = nil
	if err != nil {
		return fmt.Errorf("the op-batcher of chain %d did not end well: %w", b.Chain.ID, err)
	}
	return nil
}
