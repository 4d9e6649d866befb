package node

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/network"
)

// kona-node takes no field that it does not know.
func TestKonaRollup(t *testing.T) {
	made, err := network.New(network.Options{
		Lone: true, Isthmus: true, L1BlockTime: 3, BlockTime: 2, FinalityDistance: 8, GenesisTime: 1_800_000_000,
	})
	require.NoError(t, err)
	text, err := konaRollup(made.Chain(901))
	require.NoError(t, err)
	var fields struct {
		Regolith *uint64 `json:"regolith_time"`
		Jovian   *uint64 `json:"jovian_time"`
		Versions *string `json:"protocol_versions_address"`
		Genesis  struct {
			System map[string]any `json:"system_config"`
		} `json:"genesis"`
	}
	require.NoError(t, json.Unmarshal(text, &fields))
	require.NotNil(t, fields.Regolith)
	require.NotNil(t, fields.Versions)
	require.Nil(t, fields.Jovian)
	require.Len(t, fields.Genesis.System, 4)
	require.NotContains(t, fields.Genesis.System, "minBaseFee")
}
