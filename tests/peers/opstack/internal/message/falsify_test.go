package message

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-core/interop/depset"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const week = 7 * 24 * 3600

// One thing is made wrong, and no other.
func TestOneThingIsWrong(t *testing.T) {
	from := newWallet(&Chain{Chain: testChains(t)[0]})
	for kind, differ := range map[Kind]func(*messages.Message, *messages.Message){
		Valid:          func(_, _ *messages.Message) {},
		WrongHash:      func(a, b *messages.Message) { a.PayloadHash = b.PayloadHash },
		WrongTimestamp: func(a, b *messages.Message) { a.Identifier.Timestamp = b.Identifier.Timestamp },
		WrongIndex:     func(a, b *messages.Message) { a.Identifier.LogIndex = b.Identifier.LogIndex },
		WrongOrigin:    func(a, b *messages.Message) { a.Identifier.Origin = b.Identifier.Origin },
		UnknownChain:   func(a, b *messages.Message) { a.Identifier.ChainID = b.Identifier.ChainID },
		Expired:        func(a, b *messages.Message) { a.Identifier.Timestamp = b.Identifier.Timestamp },
	} {
		falsified, err := falsify(kind, known, from)
		require.NoError(t, err)
		require.Equal(t, kind.IsValid(), falsified == known, kind)
		same := known
		differ(&same, &falsified)
		require.Equal(t, same, falsified, kind)
	}
}

func TestHowItIsWrong(t *testing.T) {
	from := newWallet(&Chain{Chain: testChains(t)[0]})
	early, err := falsify(WrongTimestamp, known, from)
	require.NoError(t, err)
	require.Equal(t, known.Identifier.Timestamp-2, early.Identifier.Timestamp)
	expired, err := falsify(Expired, known, from)
	require.NoError(t, err)
	require.Greater(t, known.Identifier.Timestamp-expired.Identifier.Timestamp, uint64(week))
	unknown, err := falsify(UnknownChain, known, from)
	require.NoError(t, err)
	require.False(t, from.DependencySet.HasChain(unknown.Identifier.ChainID))
	for _, kind := range []Kind{Future, SameTimestamp, Cycle, "nonsense"} {
		_, err := falsify(kind, known, from)
		require.Error(t, err, kind)
	}
}

// Where the window is short, nothing is falsified: the message is left until it has really expired.
func TestShortWindow(t *testing.T) {
	set, err := depset.NewStaticConfigDependencySetWithMessageExpiryOverride(
		map[eth.ChainID]*depset.StaticConfigDependency{eth.ChainIDFromUInt64(901): {}}, 12)
	require.NoError(t, err)
	from := newWallet(&Chain{Chain: &network.Chain{DependencySet: set}})
	expired, err := falsify(Expired, known, from)
	require.NoError(t, err)
	require.Equal(t, known, expired)
}

func TestReallyExpired(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	chains := testChains(t)
	const window = 6
	set, err := depset.NewStaticConfigDependencySetWithMessageExpiryOverride(chains[0].DependencySet.Dependencies(), window)
	require.NoError(t, err)
	for _, chain := range chains {
		chain.DependencySet = set
	}
	one, two := twoChains(t, chains)
	executed, err := NewSender(one, two).Send(ctx, one.ID, two.ID, Expired)
	require.NoError(t, err)
	require.Greater(t, two.timeOf(executed.Number), executed.Message.Identifier.Timestamp+window)
}
