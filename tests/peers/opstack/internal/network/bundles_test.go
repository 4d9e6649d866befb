package network

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-core/forks"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
)

// table is Crosscheck's own, compiled in.
const table = "../../../../../core/src/consolidation/deposits/bundle/table.rs"

// Crosscheck's table of upgrade transactions is what op-node makes of the published bundles. Where it is not, the test says how
// the table must read.
func TestTheTableOfUpgradeTransactionsIsUpstreams(t *testing.T) {
	source, err := os.ReadFile(table)
	require.NoError(t, err)
	karst, karstGas, err := derive.UpgradeTransactions(forks.Karst)
	require.NoError(t, err)
	lagoon, lagoonGas, err := derive.LagoonActivationUpgradeTransactions(true)
	require.NoError(t, err)
	last := len(lagoon) - 1
	for name, transactions := range map[string][]hexutil.Bytes{
		"KARST": karst, "LAGOON": lagoon[1:last], "SET_FEATURE": lagoon[:1], "FUNDING": lagoon[last:],
	} {
		expected := hashes(transactions)
		require.Equal(t, expected, listed(t, string(source), name), "%s must be:\n%s", name, strings.Join(expected, "\n"))
	}
	for name, gas := range map[string]uint64{"KARST_GAS": karstGas, "LAGOON_GAS": lagoonGas} {
		require.Equal(t, fmt.Sprint(gas), constant(t, string(source), name), name)
	}
}

func hashes(transactions []hexutil.Bytes) []string {
	var hashes []string
	for _, transaction := range transactions {
		hashes = append(hashes, common.Hash(crypto.Keccak256(transaction)).Hex()[2:])
	}
	return hashes
}

// definition is what a constant of the Rust source is set to.
func definition(t *testing.T, source, name string) string {
	found := regexp.MustCompile(`(?s)const ` + name + `: [^=]*=(.*?);\n`).FindStringSubmatch(source)
	require.NotNil(t, found, "no constant %s", name)
	return found[1]
}

func listed(t *testing.T, source, name string) []string {
	var hashes []string
	for _, found := range regexp.MustCompile(`b256!\("([0-9a-f]{64})"\)`).FindAllStringSubmatch(definition(t, source, name), -1) {
		hashes = append(hashes, found[1])
	}
	return hashes
}

func constant(t *testing.T, source, name string) string {
	return strings.ReplaceAll(strings.TrimSpace(definition(t, source, name)), "_", "")
}
