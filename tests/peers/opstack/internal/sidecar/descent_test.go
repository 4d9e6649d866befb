package sidecar

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// parents are headers that hold nothing but a parent.
type parents map[common.Hash]common.Hash

func (p parents) HeaderByHash(_ context.Context, hash common.Hash) (*types.Header, error) {
	parent, known := p[hash]
	if !known {
		return nil, errors.New("not found")
	}
	return &types.Header{ParentHash: parent}, nil
}

func TestABlockIsFoundUnderHeadsThatPassedItBy(t *testing.T) {
	id := func(number uint64, hash byte) eth.BlockID {
		return eth.BlockID{Number: number, Hash: common.Hash{hash}}
	}
	// 4 - 5 - 6 - 7 and 4 - 15 - 16: heads go from 4 to 7, and back to 16.
	chain := parents{{7}: {6}, {6}: {5}, {5}: {4}, {16}: {15}, {15}: {4}}
	var recording Recording
	for _, head := range []eth.BlockID{id(4, 4), id(7, 7), id(6, 16), id(6, 6)} {
		recording.note(Heads{LocalSafe: head}, time.Now())
	}
	ctx := context.Background()
	require.Empty(t, recording.Sightings(common.Hash{5}))
	found, err := recording.BuiltOn(ctx, LevelLocalSafe, id(5, 5), chain)
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, id(7, 7), found[0].BlockID)
	require.Equal(t, id(6, 6), found[1].BlockID)
	found, err = recording.BuiltOn(ctx, LevelSafe, id(5, 5), chain)
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = recording.BuiltOn(ctx, LevelLocalSafe, id(5, 5), parents{})
	require.ErrorContains(t, err, "no header of block")
}

func TestAHeadThatWasThereTooEarlyCountsFromTheTimeOn(t *testing.T) {
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	span := func(safe uint64, first, last int) Span {
		return Span{Heads: Heads{Safe: eth.BlockID{Number: safe}}, First: at(first), Last: at(last)}
	}
	recording := Recording{Spans: []Span{span(15, 1, 2), span(9, 3, 4), span(15, 5, 6), span(17, 7, 8)}}
	require.Equal(t, at(1), recording.ReachedSince(LevelSafe, 15, at(0)))
	require.Equal(t, at(5), recording.ReachedSince(LevelSafe, 15, at(3)))
	require.Equal(t, at(6), recording.ReachedSince(LevelSafe, 15, at(6)))
	require.Equal(t, at(7), recording.ReachedSince(LevelSafe, 16, at(3)))
	require.True(t, recording.ReachedSince(LevelSafe, 18, at(0)).IsZero())
}
