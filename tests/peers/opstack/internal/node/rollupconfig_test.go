package node

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-node/rollup/sync"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

func TestGossipHasProductionDefaults(t *testing.T) {
	identity, err := NewIdentity(12345)
	require.NoError(t, err)
	peer, err := NewIdentity(12346)
	require.NoError(t, err)
	chain := &network.Chain{Rollup: &rollup.Config{BlockTime: 2}}
	gossip, err := gossipConfig(chain, RollupOptions{Identity: identity, Peers: []string{peer.Multiaddr()}})
	require.NoError(t, err)
	require.Equal(t, time.Minute, gossip.GossipTimestampThreshold)
	require.Equal(t, identity.Port, int(gossip.ListenTCPPort))
	require.Len(t, gossip.StaticPeers, 1)
	require.True(t, gossip.NoDiscovery)
}

func TestFollowersSyncThroughTheirExecutionClient(t *testing.T) {
	require.Equal(t, sync.ELSync, syncConfig(RollupOptions{FollowSource: "http://127.0.0.1:1"}).SyncMode)
	require.Equal(t, sync.CLSync, syncConfig(RollupOptions{}).SyncMode)
	require.Equal(t, sync.CLSync, syncConfig(RollupOptions{Sequencer: true}).SyncMode)
}

func TestASignerIsFreshEachTime(t *testing.T) {
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	setup := &signerSetup{key: key}
	first, err := setup.SetupSigner(t.Context())
	require.NoError(t, err)
	require.NoError(t, first.Close())
	second, err := setup.SetupSigner(t.Context())
	require.NoError(t, err)
	_, err = second.SignBlockV1(t.Context(), eth.ChainIDFromUInt64(901), common.Hash{1})
	require.NoError(t, err)
}
