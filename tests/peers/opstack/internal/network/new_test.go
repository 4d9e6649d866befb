package network

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/forks"
	"github.com/ethereum-optimism/optimism/op-node/node/runcfg"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

func testNetwork(t *testing.T) *Network {
	network, err := New(Options{
		Chains: 2, Lone: true, LagoonDelay: 15, L1BlockTime: 3, BlockTime: 2, FinalityDistance: 8, GenesisTime: 1_800_000_000,
	})
	require.NoError(t, err)
	return network
}

func TestNetwork(t *testing.T) {
	network := testNetwork(t)
	require.Len(t, network.Chains, 3)
	require.Len(t, network.Members(), 2)
	require.Equal(t, network.Chains[1], network.Chain(902))
	require.Nil(t, network.Chain(904))

	first, second, lone := network.Chain(901), network.Chain(902), network.Chain(903)
	require.True(t, lone.Lone)
	require.Equal(t, []eth.ChainID{eth.ChainIDFromUInt64(903)}, lone.DependencySet.Chains())
	require.Len(t, first.DependencySet.Chains(), 2)
	require.True(t, !first.Blobs && !first.SpanBatches && second.Blobs && second.SpanBatches)
	require.NotEqual(t, first.Rollup.Genesis.L2.Hash, second.Rollup.Genesis.L2.Hash)
}

// Activation stands at a block: the delay is made longer, up to the next one.
func TestActivation(t *testing.T) {
	for _, chain := range testNetwork(t).Chains {
		require.EqualValues(t, 1_800_000_016, chain.ActivationTime)
		require.Equal(t, chain.ActivationTime, *chain.Rollup.LagoonTime)
		require.Equal(t, chain.ActivationTime, *chain.Genesis.Config.LagoonTime)
		require.True(t, chain.Rollup.IsForkActive(forks.Karst, chain.Genesis.Timestamp))
		require.False(t, chain.Rollup.IsForkActive(forks.Lagoon, chain.Genesis.Timestamp))
		require.True(t, chain.Rollup.IsLagoonActivationBlock(chain.ActivationTime))
	}
}

// A chain that ends with Isthmus has no later fork, at no time.
func TestIsthmus(t *testing.T) {
	options := testNetwork(t).Options
	options.Chains, options.Isthmus = 0, true
	network, err := New(options)
	require.NoError(t, err)
	chain := network.Chain(901)
	require.True(t, chain.Lone)
	require.Empty(t, network.Members())
	require.True(t, chain.Rollup.IsForkActive(forks.Isthmus, chain.Genesis.Timestamp))
	require.Nil(t, chain.Rollup.JovianTime)
	require.Nil(t, chain.Genesis.Config.JovianTime)
	require.Nil(t, chain.Genesis.Config.OsakaTime)
	require.Nil(t, chain.Rollup.LagoonTime)
}

// The same options give the same network, so that what was kept from a run can be used with it again.
func TestDeterminism(t *testing.T) {
	one, err := json.Marshal(testNetwork(t).Chain(901).Rollup)
	require.NoError(t, err)
	other, err := json.Marshal(testNetwork(t).Chain(901).Rollup)
	require.NoError(t, err)
	require.JSONEq(t, string(one), string(other))
}

func TestSigner(t *testing.T) {
	network := testNetwork(t)
	chain := network.Chain(901)
	require.Equal(t, runcfg.UnsafeBlockSignerAddressSystemConfigStorageSlot, contracts.SignerSlot)
	stored := network.L1.Alloc[contracts.SystemConfig(901)].Storage[contracts.SignerSlot]
	require.Equal(t, addressOf(chain.SequencerKey).Bytes(), stored[12:])
}

func TestImpossibleOptions(t *testing.T) {
	good := testNetwork(t).Options
	for _, spoil := range []func(*Options){
		func(o *Options) { o.Chains, o.Lone = 0, false },
		func(o *Options) { o.Isthmus = true },
		func(o *Options) { o.LagoonDelay = 0 },
		func(o *Options) { o.BlockTime = 0 },
		func(o *Options) { o.GenesisTime = 0 },
	} {
		bad := good
		spoil(&bad)
		_, err := New(bad)
		require.Error(t, err)
	}
}
