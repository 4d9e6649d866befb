package l1

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
)

// lead is how long before its slot the building of a block begins.
const lead = 300 * time.Millisecond

var errStopped = errors.New("L1 is stopped")

// driver decides which blocks the chain has.
type driver struct {
	engineAPI
	chain  *core.BlockChain
	pool   *txpool.TxPool
	beacon *beacon
	logger log.Logger

	genesis, blockTime uint64
	// How far behind the head a block is safe, and final.
	safeDistance, finalDistance uint64

	// turn is what the one holds who builds. The rest below is for its holder only.
	turn    chan struct{}
	stopped chan struct{}
	paused  bool
	branch  uint64
}

func newDriver(n *network.Network, geth *eth.Ethereum, beacon *beacon, logger log.Logger) *driver {
	return &driver{
		engineAPI:     engineAPI{api: catalyst.NewConsensusAPI(geth), miner: geth.Miner()},
		chain:         geth.BlockChain(),
		pool:          geth.TxPool(),
		beacon:        beacon,
		logger:        logger,
		genesis:       n.L1.Timestamp,
		blockTime:     n.L1BlockTime,
		safeDistance:  (n.FinalityDistance + 1) / 2,
		finalDistance: n.FinalityDistance,
		turn:          make(chan struct{}, 1),
		stopped:       make(chan struct{}),
	}
}

// begin makes the genesis block safe and final, so that nodes that ask for these blocks get one from the start.
func (d *driver) begin(ctx context.Context) error {
	_, err := d.choose(ctx, d.forkchoice(d.chain.CurrentBlock(), 0), nil)
	return err
}

// run builds a block at each slot until the context ends.
func (d *driver) run(ctx context.Context) {
	for {
		slot := d.slotAfter(time.Now())
		if !sleepUntil(ctx, at(slot).Add(-lead)) {
			return
		}
		if err := d.produce(ctx, slot); err != nil && ctx.Err() == nil {
			d.logger.Error("no L1 block", "time", slot, "err", err)
		}
		if !sleepUntil(ctx, at(slot)) {
			return
		}
	}
}

// produce builds the block of a slot on the head, out of what the pool has.
func (d *driver) produce(ctx context.Context, slot uint64) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.release()
	head := d.chain.CurrentBlock()
	if d.paused || head.Time >= slot {
		return nil
	}
	now := d.forkchoice(head, head.Number.Uint64())
	id, err := d.choose(ctx, now, attributes(head.Hash(), slot, d.branch))
	if err != nil {
		return err
	}
	if !sleepUntil(ctx, at(slot)) {
		return ctx.Err()
	}
	envelope, err := d.built(*id)
	if err != nil {
		return err
	}
	return d.append(ctx, envelope)
}

// append makes a block on the head the new head. Its blobs can be had before anyone knows of it.
func (d *driver) append(ctx context.Context, envelope *engine.ExecutionPayloadEnvelope) error {
	blobs := bundled(envelope.BlobsBundle)
	if err := d.insert(ctx, envelope, hashes(blobs)); err != nil {
		return err
	}
	payload := envelope.ExecutionPayload
	header := d.chain.GetHeader(payload.BlockHash, payload.Number)
	if header == nil {
		return fmt.Errorf("geth lost block %d", payload.Number)
	}
	d.beacon.put(payload.Timestamp, blobs)
	_, err := d.choose(ctx, d.forkchoice(header, header.Number.Uint64()-1), nil)
	return err
}

// forkchoice says what is safe and what is final when a block is the head. Finality does not go back. No block above the
// limit becomes safe or final.
func (d *driver) forkchoice(head *types.Header, limit uint64) engine.ForkchoiceStateV1 {
	below := func(distance, before uint64) *types.Header {
		number := before
		if height := head.Number.Uint64(); height >= distance {
			number = max(number, height-distance)
		}
		return d.chain.GetHeaderByNumber(min(number, limit))
	}
	return engine.ForkchoiceStateV1{
		HeadBlockHash:      head.Hash(),
		SafeBlockHash:      below(d.safeDistance, numberOf(d.chain.CurrentSafeBlock())).Hash(),
		FinalizedBlockHash: below(d.finalDistance, d.final()).Hash(),
	}
}

// final is the height of the newest block that is final.
func (d *driver) final() uint64 { return numberOf(d.chain.CurrentFinalBlock()) }

func numberOf(header *types.Header) uint64 {
	if header == nil {
		return 0
	}
	return header.Number.Uint64()
}

// slotAfter is the time of the first slot after a time. The genesis block has the first slot.
func (d *driver) slotAfter(now time.Time) uint64 {
	seconds := uint64(now.Unix())
	if seconds < d.genesis {
		return d.genesis + d.blockTime
	}
	return d.genesis + ((seconds-d.genesis)/d.blockTime+1)*d.blockTime
}

func (d *driver) setPaused(ctx context.Context, paused bool) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.release()
	d.paused = paused
	return nil
}

// take waits for the turn to build.
func (d *driver) take(ctx context.Context) error {
	select {
	case <-d.stopped:
		return errStopped
	default:
	}
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-d.stopped:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *driver) release() { <-d.turn }

// close waits for whoever builds. Nobody builds afterwards.
func (d *driver) close() {
	close(d.stopped)
	d.turn <- struct{}{}
}

func at(seconds uint64) time.Time { return time.Unix(int64(seconds), 0) }

// sleepUntil says whether the time came before the context ended.
func sleepUntil(ctx context.Context, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
