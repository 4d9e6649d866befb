package gossip

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// fakeView is a chain held in memory.
type fakeView struct {
	blocks map[common.Hash]*types.Block
	head   eth.BlockID
}

func (v *fakeView) crossSafe(context.Context) (eth.BlockID, error) { return v.head, nil }

func (v *fakeView) block(_ context.Context, hash common.Hash) (*types.Block, error) {
	if block := v.blocks[hash]; block != nil {
		return block, nil
	}
	return nil, errors.New("no such block")
}

func (v *fakeView) canonical(ctx context.Context, _ *big.Int) (*types.Block, error) {
	return v.block(ctx, v.head.Hash)
}

func (v *fakeView) close() {}

// grow adds blocks on top of a block, the last of which becomes cross-safe. It answers their hashes.
func (v *fakeView) grow(parent eth.BlockID, count int) []common.Hash {
	var hashes []common.Hash
	for range count {
		block := madeUpBlock(parent.Number+1, parent.Hash)
		parent = eth.ToBlockID(block)
		v.blocks[parent.Hash] = block
		hashes = append(hashes, parent.Hash)
	}
	v.head = parent
	return hashes
}

func testAttester(t *testing.T) (*Attester, *fakeView) {
	chain := &fakeView{blocks: make(map[common.Hash]*types.Block)}
	options := AttesterOptions{Rollup: testRollup(), Key: testKey(t)}
	attester, err := newAttester(startHost(t, "attester"), options, chain)
	require.NoError(t, err)
	return attester, chain
}

func attested(attester *Attester) []common.Hash {
	var hashes []common.Hash
	for _, sent := range attester.Sent() {
		hashes = append(hashes, sent.Block.Hash)
	}
	return hashes
}

func TestCrossSafeBlocksAreAttestedInOrderAndOnce(t *testing.T) {
	ctx := deadline(t)
	attester, chain := testAttester(t)
	require.NoError(t, attester.step(ctx)) // No head yet.
	require.Empty(t, attester.Sent())

	first := chain.grow(eth.BlockID{}, 3)
	require.NoError(t, attester.step(ctx))
	require.Equal(t, first[2:], attested(attester), "at the start only the head")

	second := chain.grow(chain.head, 4)
	require.NoError(t, attester.step(ctx))
	require.NoError(t, attester.step(ctx))
	require.Equal(t, append(first[2:], second...), attested(attester))
}

func TestEveryBlockFromGenesisIsAttestedWhenAllWasAskedFor(t *testing.T) {
	ctx := deadline(t)
	attester, chain := testAttester(t)
	attester.FromGenesis()
	blocks := chain.grow(eth.BlockID{}, 3)
	require.NoError(t, attester.look(ctx))
	require.Empty(t, attested(attester), "it is switched off")
	attester.Switch(true)
	require.NoError(t, attester.look(ctx))
	require.Equal(t, blocks, attested(attester))
}

func TestAfterAReorganisationOnlyTheNewBranchIsAttested(t *testing.T) {
	ctx := deadline(t)
	attester, chain := testAttester(t)
	chain.grow(eth.BlockID{}, 1)
	require.NoError(t, attester.step(ctx))
	fork := chain.head
	old := chain.grow(fork, 3)
	require.NoError(t, attester.step(ctx))
	replacement := madeUpBlock(fork.Number+1, fork.Hash)
	header := replacement.Header()
	header.GasUsed++
	replacement = types.NewBlockWithHeader(header).WithBody(*replacement.Body())
	chain.blocks[replacement.Hash()] = replacement
	fresh := chain.grow(eth.ToBlockID(replacement), 1)
	require.NoError(t, attester.step(ctx))
	expected := append([]common.Hash{fork.Hash}, old...)
	require.Equal(t, append(expected, replacement.Hash(), fresh[0]), attested(attester))
}

func TestAnyBlockIsPublishedOnDemand(t *testing.T) {
	ctx := deadline(t)
	attester, chain := testAttester(t)
	head := chain.grow(eth.BlockID{}, 2)[1]
	sent, err := attester.PublishNumber(ctx, nil, Manner{})
	require.NoError(t, err)
	require.True(t, sent.Told)
	require.Equal(t, head, sent.Block.Hash)
	_, err = attester.PublishHash(ctx, common.Hash{1}, Manner{})
	require.Error(t, err)
	other := testKey(t)
	sent, err = attester.PublishHash(ctx, head, Manner{Key: other, Domain: ZeroDomain})
	require.NoError(t, err)
	require.Equal(t, ZeroDomain, sent.Domain)
}
