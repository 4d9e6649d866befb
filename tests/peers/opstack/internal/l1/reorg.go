package l1

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reorg is what a reorganisation did. Blocks are in the order of their heights.
type Reorg struct {
	// Ancestor is the newest block that both branches have.
	Ancestor *types.Header
	Old, New []*types.Header
	// Dropped are the transactions that the new branch does not have.
	Dropped []*types.Transaction
}

// branch is a chain of blocks under way that is not the chain yet.
type branch struct {
	d      *driver
	parent *types.Header
	done   *Reorg
	blobs  map[uint64][]blob
}

func (d *driver) reorg(ctx context.Context, depth int, drop func(*types.Transaction) bool) (*Reorg, error) {
	if err := d.take(ctx); err != nil {
		return nil, err
	}
	defer d.release()
	old, err := d.newest(depth)
	if err != nil {
		return nil, err
	}
	ancestor := d.chain.GetHeaderByHash(old[0].ParentHash())
	// The additional block takes a slot after the old head's: the newest slot that has come, or the one that comes next.
	tip := max(d.slotAfter(time.Now())-d.blockTime, old[depth-1].Time()+d.blockTime)
	if !sleepUntil(ctx, at(tip)) {
		return nil, ctx.Err()
	}
	d.branch++
	b := &branch{d: d, parent: ancestor, done: &Reorg{Ancestor: ancestor}, blobs: map[uint64][]blob{}}
	gone := dropper(d, drop)
	for _, block := range old {
		if err := b.replace(ctx, block, gone); err != nil {
			return nil, err
		}
	}
	if err := b.extend(ctx, tip, nil, nil); err != nil {
		return nil, err
	}
	return b.done, b.adopt(ctx)
}

// newest are the newest blocks, none of them final.
func (d *driver) newest(depth int) ([]*types.Block, error) {
	head, final := d.chain.CurrentBlock().Number.Uint64(), d.final()
	if depth < 1 {
		return nil, errors.New("at least one block must be replaced")
	}
	if head < uint64(depth) || head-uint64(depth) < final {
		return nil, fmt.Errorf("the chain has %d blocks after its final block %d", head-final, final)
	}
	var blocks []*types.Block
	for number := head - uint64(depth) + 1; number <= head; number++ {
		block := d.chain.GetBlockByNumber(number)
		if block == nil {
			return nil, fmt.Errorf("geth lost block %d", number)
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

// dropper says which transactions are dropped. A later transaction of the same sender could not be included: its nonce
// would be too high.
func dropper(d *driver, drop func(*types.Transaction) bool) func(*types.Transaction) bool {
	signer := types.LatestSigner(d.chain.Config())
	senders := map[common.Address]bool{}
	return func(tx *types.Transaction) bool {
		sender, err := types.Sender(signer, tx)
		if err == nil && (senders[sender] || drop != nil && drop(tx)) {
			senders[sender] = true
			return true
		}
		return false
	}
}

// replace adds the block that takes the place of an old one.
func (b *branch) replace(ctx context.Context, old *types.Block, gone func(*types.Transaction) bool) error {
	b.done.Old = append(b.done.Old, old.Header())
	var kept types.Transactions
	var blobs []blob
	for _, tx := range old.Transactions() {
		if gone(tx) {
			b.done.Dropped = append(b.done.Dropped, tx)
			continue
		}
		if tx.Type() == types.BlobTxType {
			own, err := b.d.beacon.find(old.Time(), tx.BlobHashes())
			if err != nil {
				return fmt.Errorf("the blobs of transaction %s: %w", tx.Hash(), err)
			}
			blobs = append(blobs, own...)
			tx = tx.WithBlobTxSidecar(sidecar(own))
		}
		kept = append(kept, tx)
	}
	return b.extend(ctx, old.Time(), kept, blobs)
}

// extend adds a block to the branch.
func (b *branch) extend(ctx context.Context, time uint64, txs types.Transactions, blobs []blob) error {
	parent := b.parent.Hash()
	envelope, err := b.d.build(ctx, parent, attributes(parent, time, b.d.branch), txs)
	if err != nil {
		return err
	}
	if err := b.d.insert(ctx, envelope, hashes(blobs)); err != nil {
		return err
	}
	payload := envelope.ExecutionPayload
	if b.parent = b.d.chain.GetHeader(payload.BlockHash, payload.Number); b.parent == nil {
		return fmt.Errorf("geth lost block %d", payload.Number)
	}
	b.blobs[time] = blobs
	b.done.New = append(b.done.New, b.parent)
	return nil
}

// adopt makes the branch the chain.
func (b *branch) adopt(ctx context.Context) error {
	for time, blobs := range b.blobs {
		b.d.beacon.put(time, blobs)
	}
	if _, err := b.d.choose(ctx, b.d.forkchoice(b.parent, b.done.Ancestor.Number.Uint64()), nil); err != nil {
		return err
	}
	b.d.logger.Info("L1 is reorganised", "ancestor", b.done.Ancestor.Number, "head", b.parent.Number,
		"replaced", len(b.done.Old), "dropped", len(b.done.Dropped))
	if len(b.done.Dropped) == 0 {
		return nil
	}
	return b.d.forget(b.done.Dropped)
}
