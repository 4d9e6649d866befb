package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

func deny(logger log.Logger, chain, number uint64, hash common.Hash) {
	logger.Info(denyLine, "chainID", eth.ChainIDFromUInt64(chain),
		"invalidatedBlock", eth.BlockID{Number: number, Hash: hash},
		"lastValidParentBlock", eth.BlockID{Number: number - 1, Hash: common.Hash{0xff}})
}

func TestRulingsAreReadFromTheLog(t *testing.T) {
	rulings := NewRulings()
	// op-supernode gives its chains loggers of their own, and this log keeps warnings only.
	watched := rulings.Watch(log.NewLogger(log.LogfmtHandlerWithLevel(io.Discard, slog.LevelWarn)))
	logger := watched.New("chain_id", eth.ChainIDFromUInt64(7))
	logger.Info("something else", "invalidatedBlock", eth.BlockID{Number: 1})
	deny(logger, 901, 12, common.Hash{1})
	deny(logger, 901, 12, common.Hash{1})
	deny(logger, 902, 12, common.Hash{2})

	all := rulings.All()
	require.Len(t, all, 2)
	require.Equal(t, uint64(901), all[0].Chain)
	require.Equal(t, uint64(12), all[0].Number)
	require.Equal(t, common.Hash{1}, all[0].Hash)
	require.WithinDuration(t, time.Now(), all[0].At, time.Minute)
	_, found := rulings.Find(901, common.Hash{2})
	require.False(t, found)
}

func TestThatItStoppedForGoodIsReadFromTheLog(t *testing.T) {
	rulings := NewRulings()
	logger := rulings.Watch(log.NewLogger(log.DiscardHandler())).New("chain_id", 901)
	start := time.Now()
	logger.Error("chain_container/RewindEngine: temporary error", "err", errors.New("context canceled"))
	logger.Warn("somebody else", "err", errors.New(overFinal))
	require.False(t, rulings.StoppedSince(start))
	logger.Error("chain_container/RewindEngine: critical error", "err", fmt.Errorf("failed: %w", errors.New(overFinal)))
	require.True(t, rulings.StoppedSince(start))
	require.False(t, rulings.StoppedSince(time.Now().Add(time.Minute)))
}

func TestRulingsAreAwaited(t *testing.T) {
	rulings := NewRulings()
	logger := rulings.Watch(log.NewLogger(log.DiscardHandler()))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found := make(chan Ruling, 1)
	go func() {
		ruling, err := rulings.Await(ctx, 901, common.Hash{2})
		if err == nil {
			found <- ruling
		}
		close(found)
	}()
	deny(logger, 901, 4, common.Hash{1})
	deny(logger, 901, 5, common.Hash{2})
	require.Equal(t, uint64(5), (<-found).Number)
}
