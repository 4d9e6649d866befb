package accesslist

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

func world() *World {
	message := messages.Message{Identifier: messages.Identifier{
		BlockNumber: 9, LogIndex: 1, Timestamp: 1000, ChainID: eth.ChainIDFromUInt64(901),
	}}
	return &World{
		Messages: []messages.Message{message}, Early: []messages.Message{message}, Members: []uint64{901, 902}, Window: 3600, Now: 2000,
	}
}

func TestEveryCaseIsJSON(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	cases := world().Designed()
	for range 100 {
		cases = append(cases, world().Random(random))
	}
	for _, each := range cases {
		require.Truef(t, json.Valid(each.Params), "%s: %s", each.Family, each.Params)
	}
}

func TestEveryDifferenceIsAskedFor(t *testing.T) {
	cases := world().Designed()
	for _, difference := range Known {
		for _, family := range difference.Families {
			asked := slices.ContainsFunc(cases, func(c Case) bool { return c.Family == family })
			require.Truef(t, asked || family == famRandom, "%s", family)
		}
	}
}

func TestOnlyKnownDifferencesAreLetPass(t *testing.T) {
	valid, invalid, future := Answer{Code: Valid}, Answer{Code: -320600}, Answer{Code: -321401}
	for _, each := range []struct {
		family             string
		filter, crosscheck Answer
		known              int
		ok                 bool
	}{
		{"as it is", valid, valid, -1, true},
		{"as it is", valid, invalid, -1, false},
		{famActivation, valid, invalid, 0, true},
		{famActivation, invalid, valid, -1, false},
		{famRandom, invalid, future, 4, true},
		{famRandom, invalid, valid, -1, false},
		{famRandom, valid, invalid, -1, false},
	} {
		known, ok := Compare(each.family, each.filter, each.crosscheck)
		require.Equal(t, each.known, known, each)
		require.Equal(t, each.ok, ok, each)
	}
}

func TestTheDocumentHasTheTable(t *testing.T) {
	document, err := os.ReadFile("../../../../../docs/PEERS.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(document), "## Access lists, beside op-interop-filter\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	for _, difference := range Known {
		require.Contains(t, section, difference.Row())
	}
	// The heading and the line below it are no rows.
	require.Equal(t, len(Known)+2, strings.Count(section, "\n| "))
}
