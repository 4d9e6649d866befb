package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/sidecar"
)

func TestWhatIsDecidedAndNotToldIsLost(t *testing.T) {
	block := sidecar.BlockKey{ChainID: 901, Number: 5}
	log := uint64(3)
	decided := []sidecar.Attestation{{BlockKey: block, Verdict: sidecar.Violated}, {BlockKey: sidecar.BlockKey{Number: 6}, Verdict: sidecar.Open}}
	found := []sidecar.Message{{Executing: sidecar.ExecutingBlock{BlockKey: block}, LogIndex: log}}
	told := []sidecar.Told{
		{Kind: sidecar.ToldVerdict, Block: block, Verdict: sidecar.Violated},
		{Kind: sidecar.ToldInvalid, Executing: sidecar.ExecutingBlock{BlockKey: block}, LogIndex: &log},
	}
	require.NoError(t, untold(decided, found, told))
	require.ErrorContains(t, untold(decided, found, told[:1]), "log 3")
	require.ErrorContains(t, untold(decided, found, told[1:]), sidecar.Violated)
}

func TestKilledVariantsKeepAllButTheirName(t *testing.T) {
	variants := killed(named(beside, "messages", "attested-lie")...)
	require.Len(t, variants, 2)
	for _, variant := range variants {
		require.True(t, variant.killed)
		require.False(t, variant.CI)
	}
	require.Equal(t, "messages-killed", variants[0].Name)
	for _, original := range beside {
		require.False(t, original.killed, "the originals stay")
	}
}
