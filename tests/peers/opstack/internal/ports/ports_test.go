package ports

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortsAreDrawnOnceAndBelowTheEphemeral(t *testing.T) {
	first, err := Free(20)
	require.NoError(t, err)
	second, err := Free(20)
	require.NoError(t, err)
	all := append(first, second...)
	for i, port := range all {
		require.GreaterOrEqual(t, port, lowestPort)
		require.Less(t, port, ephemeralStart())
		require.NotContains(t, all[i+1:], port)
	}
}
