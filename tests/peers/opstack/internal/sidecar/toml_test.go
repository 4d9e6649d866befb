package sidecar

import (
	"os"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func fullConfig(dir string) Config {
	grace := time.Duration(0)
	return Config{
		Dir:           dir,
		Ports:         Ports{RPC: 20001, HTTP: 20002, Follow: 20003},
		L1:            "http://127.0.0.1:20004",
		Deposits:      "l1",
		Follow:        FollowClamp,
		MessageExpiry: time.Hour,
		PollInterval:  500 * time.Millisecond,
		Admin:         true,
		LogLevel:      "info,crosscheck::audit=debug",
		Chains: []ChainConfig{
			{
				ID: 901, Execution: []string{"http://127.0.0.1:20005", "http://127.0.0.1:20006"}, Quorum: 2,
				RollupNode: "http://127.0.0.1:20007/901/", FollowUpstream: "http://127.0.0.1:20008/901/",
				BlockTime: 2, InteropTime: 1_700_000_000, DependencySet: []uint64{901, 902}, SystemConfig: common.HexToAddress("0xabcd"),
				Attester: common.HexToAddress("0x17"), P2PPort: 20009, SignerGrace: &grace,
				SafeStall:   time.Minute,
				StaticPeers: []string{"/ip4/127.0.0.1/tcp/9223/p2p/16Uiu2HAmL5okaKLzxdzpvMDVvjr6HYy1CWkBCFXGdoStmoYEXPT3"},
			},
			{ID: 902, Execution: []string{"http://127.0.0.1:20010"}, BlockTime: 1, DependencySet: []uint64{901, 902}},
			{
				ID: 903, Execution: []string{"http://127.0.0.1:20011"}, RollupNode: "http://127.0.0.1:20012", BlockTime: 1,
				Signer: common.HexToAddress("0x903"),
			},
		},
	}
}

// The golden file is what the test configuration must look like; `go test -update` is not offered: a change is made by hand.
func TestTOMLIsAsExpected(t *testing.T) {
	config := fullConfig("/run/bed")
	golden, err := os.ReadFile("testdata/crosscheck.toml")
	require.NoError(t, err)
	require.Equal(t, string(golden), config.TOML())
}

func TestTOMLIsTOML(t *testing.T) {
	config := fullConfig("/run/a \"quoted\" \\ <dir>")
	var read struct {
		DataDir string `toml:"data_dir"`
		Chains  map[string]struct{ Execution []string }
	}
	_, err := toml.Decode(config.TOML(), &read)
	require.NoError(t, err)
	require.Equal(t, config.DataDir(), read.DataDir)
	require.Equal(t, config.Chains[0].Execution, read.Chains["901"].Execution)
}

func TestPortsAreDrawnForWhatListens(t *testing.T) {
	config := fullConfig(t.TempDir())
	config.Ports = Ports{RPC: 20001}
	config.Chains[0].P2PPort, config.Chains[2].P2PPort = 0, 20013
	require.NoError(t, config.DrawPorts())
	drawn := []int{config.Ports.HTTP, config.Ports.Follow, config.Chains[0].P2PPort}
	for i, port := range drawn {
		require.NotZero(t, port)
		require.NotContains(t, drawn[i+1:], port)
	}
	require.Equal(t, 20001, config.Ports.RPC, "a port that was set stays")
	require.Zero(t, config.Chains[1].P2PPort, "a chain that is only monitored has no gossip")
}
