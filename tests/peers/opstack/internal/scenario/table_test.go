package scenario

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheTableHasARowForEachScenarioThatPassed(t *testing.T) {
	path := t.TempDir() + "/table.md"
	sheet := newSheet(func(string) {})
	sheet.Delay("served after op-supernode", "%.2f s", 0.25)
	sheet.Figure("blocks", "%d", 3)
	sheet.Delay("the follower", "%.1f s", 1.0)
	for _, outcome := range []Outcome{
		{Scenario: "one", Took: 90 * time.Second, Delays: sheet.Delays()},
		{Scenario: "failed", Failures: []string{"something"}},
		{Scenario: "two", Took: 1400 * time.Millisecond},
	} {
		require.NoError(t, appendRow(path, outcome))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, TableHead+
		"| `one` | 90 | served after op-supernode: 0.25 s; the follower: 1.0 s |\n"+
		"| `two` | 1 |  |\n", string(written))
}
