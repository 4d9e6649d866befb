package scenario

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

func TestTwoBlockTimesAreAllowedAndAFollowersPollMore(t *testing.T) {
	chain := &stack.Chain{Chain: &network.Chain{Rollup: &rollup.Config{BlockTime: 2}}}
	theirs := time.Unix(100, 0)
	require.NoError(t, atOnce(chain, theirs.Add(4*time.Second), theirs))
	require.NoError(t, atOnce(chain, theirs.Add(-time.Minute), theirs))
	require.Error(t, atOnce(chain, theirs.Add(4*time.Second+time.Millisecond), theirs))
	require.Error(t, atOnce(chain, time.Time{}, theirs), "it was never served")
	require.NoError(t, inStep(chain, theirs.Add(8*time.Second), theirs))
	require.Error(t, inStep(chain, theirs.Add(8*time.Second+time.Millisecond), theirs))
	require.Error(t, inStep(chain, theirs, time.Time{}), "the control follower never was there")
}
