package message

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestExecutesInTheNextBlock(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	one, two := twoChains(t, testChains(t))
	executed, err := NewSender(one, two).Send(ctx, two.ID, one.ID, WrongHash)
	require.NoError(t, err)
	require.Equal(t, WrongHash, executed.Kind)
	require.Equal(t, one.ID, executed.Chain)
	require.NotZero(t, executed.Hash)
}

// A transaction that is late has no effect, and one that is lost blocks nobody: both are made anew.
func TestSendsAnew(t *testing.T) {
	for name, blocks := range map[string]int{"late": 2, "lost": -1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := testContext(t)
			stand, one := oneChain(t)
			stand.treat = func(sent int) int {
				if sent == 0 {
					return blocks
				}
				return 0
			}
			executed, err := NewSender(one).Execute(ctx, one.ID, Valid, known)
			require.NoError(t, err)
			require.Equal(t, known, executed.Message)
			require.GreaterOrEqual(t, stand.sent, 2)
		})
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	stand, one := oneChain(t)
	stand.treat = func(int) int { return 1 }
	_, err := NewSender(one).Execute(ctx, one.ID, Valid, known)
	require.ErrorIs(t, err, errTooLate)
	require.Equal(t, attempts, stand.sent)
}

func TestAnUnknownChainIsAnError(t *testing.T) {
	ctx := testContext(t)
	sender := NewSender()
	_, err := sender.Send(ctx, 1, 2, Valid)
	require.Error(t, err)
	_, err = sender.Execute(ctx, 1, Valid, known)
	require.Error(t, err)
	_, err = sender.SendCycle(ctx, 1, 2)
	require.Error(t, err)
}

// More is sent at once than there are users, and no nonce is used twice: the stand-in would see it.
func TestUsersTakeTurns(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	stand, one := oneChain(t)
	sender := NewSender(one)
	const transfers = 45
	var done sync.WaitGroup
	for range transfers {
		done.Go(func() {
			if err := sender.Transfer(ctx, one.ID); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	require.Equal(t, transfers, stand.sent)
	require.Len(t, stand.receipts, transfers)
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	one, two := twoChains(t, testChains(t))
	traffic := NewSender(one, two).StartTraffic(one.ID, two.ID, time.Millisecond)
	defer traffic.Stop()
	for traffic.Counts().Messages < 2 || traffic.Counts().Transfers < 2 {
		require.NoError(t, pause(ctx))
	}
	traffic.Stop()
	counts := traffic.Counts()
	require.Zero(t, counts.Failures)
	require.Len(t, traffic.Executed(), counts.Messages)
	for _, executed := range traffic.Executed() {
		require.Equal(t, Valid, executed.Kind)
	}
}

// What cites a block that is replaced before it is safe is not executed.
func TestReplacedBlocksAreNotCited(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	stand, one := oneChain(t)
	message, block, err := newWallet(one).initiate(ctx)
	require.NoError(t, err)
	height := message.Identifier.BlockNumber
	require.NoError(t, one.awaitSafe(ctx, height, block))
	require.ErrorIs(t, one.awaitSafe(ctx, height, stand.header(height+1).Hash()), errReplaced)
}

// A chain that went back is waited for until it has caught up.
func TestInTime(t *testing.T) {
	chain := &Chain{Chain: testChains(t)[0]}
	require.True(t, chain.inTime(150))
	require.False(t, chain.inTime(90))
}
