package gossip

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// rememberedBlocks is how many attested blocks are remembered.
	rememberedBlocks = 8192
	// maxBatch is how many blocks are attested after one look. An attestation covers the ancestors as well, so that
	// nothing is lost when older ones are left out.
	maxBatch    = 512
	rpcPatience = 10 * time.Second
)

// follow looks at the cross-safe head until the context ends.
func (a *Attester) follow(ctx context.Context) {
	defer a.host.kept.Done()
	defer a.view.close()
	ticker := time.NewTicker(a.options.Poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !pause(ctx, time.Duration(a.delay.Load())) {
			return
		}
		if err := a.look(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("Cross-safe blocks could not be attested; they are tried again", "err", err)
		}
	}
}

// pause says whether the time went by before the context ended.
func pause(ctx context.Context, lasts time.Duration) bool {
	timer := time.NewTimer(lasts)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// look takes a step if it is switched on.
func (a *Attester) look(ctx context.Context) error {
	a.looking.Lock()
	defer a.looking.Unlock()
	if !a.on {
		return nil
	}
	return a.step(ctx)
}

// step publishes what became cross-safe, oldest first.
func (a *Attester) step(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rpcPatience)
	defer cancel()
	head, err := a.view.crossSafe(ctx)
	if err != nil {
		return err
	}
	blocks, err := a.news(ctx, head)
	if err != nil {
		return err
	}
	for _, block := range blocks {
		envelope, err := FromBlock(a.options.Rollup, block)
		if err != nil {
			return err
		}
		if _, err := a.publish(ctx, envelope, Manner{Domain: Domain(a.domain.Load())}, false); err != nil {
			return err
		}
		a.attested.Add(block.Hash(), struct{}{})
	}
	return nil
}

// news are the ancestors of the cross-safe head, itself included, that were not attested yet, oldest first. They are
// found from the head backwards, by hash: after a reorganisation nothing but the new branch is attested. At the start
// it is the head alone, unless all was asked for. A node that has no head to name yet, or is being reset, names block 0.
func (a *Attester) news(ctx context.Context, head eth.BlockID) ([]*types.Block, error) {
	limit := maxBatch
	if a.attested.Len() == 0 && !a.fromGenesis {
		limit = 1
	}
	var blocks []*types.Block
	hash := head.Hash
	for number := head.Number; number > 0 && len(blocks) < limit && !a.attested.Contains(hash); number-- {
		block, err := a.view.block(ctx, hash)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
		hash = block.ParentHash()
	}
	slices.Reverse(blocks)
	return blocks, nil
}
