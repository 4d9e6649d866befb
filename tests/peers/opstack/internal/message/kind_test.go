package message

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// crosscheckReasons is where Crosscheck names what can be wrong with a message.
const crosscheckReasons = "../../../../../core/src/validity/invalid_reason.rs"

func TestReasonsAreCrosschecks(t *testing.T) {
	source, err := os.ReadFile(crosscheckReasons)
	require.NoError(t, err)
	for _, kind := range Kinds {
		for _, reason := range kind.Reasons() {
			require.Contains(t, string(source), `=> "`+reason+`"`, kind)
			require.True(t, kind.Accepts(reason))
		}
		require.False(t, kind.Accepts(""))
		require.False(t, kind.Accepts("malformed"))
	}
}

func TestKindsAreValidOrHaveAReason(t *testing.T) {
	require.True(t, Valid.IsValid())
	require.True(t, SameTimestamp.IsValid())
	require.Empty(t, Valid.Reason())
	for _, kind := range append([]Kind{Cycle}, Invalid...) {
		require.False(t, kind.IsValid(), kind)
		require.Equal(t, kind.Reasons()[0], kind.Reason())
	}
	require.Len(t, Kinds, 10)
}
