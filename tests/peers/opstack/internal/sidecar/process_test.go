package sidecar

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// program finds the real crosscheck: what CROSSCHECK names, or what `cargo build` has made.
func program(t *testing.T) string {
	t.Helper()
	named := os.Getenv("CROSSCHECK")
	if named == "" {
		named = filepath.Join("..", "..", "..", "..", "..", "target", "debug", "crosscheck")
	}
	named, err := filepath.Abs(named)
	require.NoError(t, err)
	_, err = os.Stat(named)
	require.NoError(t, err, "run `cargo build` first")
	return named
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestCrosscheckFindsTheConfigurationSound(t *testing.T) {
	binary, config := program(t), fullConfig(t.TempDir())
	require.NoError(t, Check(bounded(t), binary, &config))
	config.Chains[0].BlockTime = 0
	var ended *CommandError
	require.ErrorAs(t, Check(bounded(t), binary, &config), &ended)
	require.Equal(t, 64, ended.Code)
	require.Contains(t, ended.Says, "block_time")
}

// unserved is a chain whose endpoints are not there.
func unserved(t *testing.T) Config {
	config := Config{Dir: t.TempDir(), Follow: FollowAttested, Chains: []ChainConfig{{
		ID: 901, Execution: []string{"http://127.0.0.1:1"}, RollupNode: "http://127.0.0.1:1", BlockTime: 1,
		Signer: common.HexToAddress("0x901"),
	}}}
	require.NoError(t, config.DrawPorts())
	return config
}

func TestItIsKilledRestartedAndStopped(t *testing.T) {
	ctx := bounded(t)
	process, err := Start(ctx, program(t), unserved(t))
	require.NoError(t, err)
	t.Cleanup(process.Kill)
	client := process.Client()
	_, err = client.WaitReason(ctx, "901")
	require.NoError(t, err)
	first, err := client.Multiaddr(ctx, 901)
	require.NoError(t, err)
	metrics, err := client.Metrics(ctx)
	require.NoError(t, err)
	require.Zero(t, metrics.Sum("crosscheck_attestations_total", Labels{"chain_id": "901"}))

	process.Kill()
	require.False(t, process.Running())
	require.NoError(t, process.Err(), "it was wanted")
	_, err = client.Ready(ctx)
	require.Error(t, err)

	require.NoError(t, process.Restart(ctx))
	again, err := client.Multiaddr(ctx, 901)
	require.NoError(t, err)
	require.Equal(t, first, again, "the same directory and ports")
	require.NoError(t, process.Stop(ctx))
	ended, known := process.Log.First(0, func(e *Event) bool { return e.Is(LineEnded, 0) })
	require.True(t, known)
	require.Equal(t, 2, ended.Start)
}

func TestAnExitThatNobodyWantedIsSeenAtOnce(t *testing.T) {
	ctx := bounded(t)
	process, err := Start(ctx, program(t), unserved(t))
	require.NoError(t, err)
	t.Cleanup(process.Kill)
	while, cancel := process.While(ctx)
	defer cancel()
	other, err := os.FindProcess(process.PID())
	require.NoError(t, err)
	require.NoError(t, other.Kill())
	<-while.Done()
	require.ErrorContains(t, context.Cause(while), "crosscheck ended by itself: signal: killed")
	_, err = process.Log.Await(while, process.Log.Last(), "anything", func(*Event) bool { return true })
	require.ErrorContains(t, err, "ended by itself")
}

func TestAStartThatFailsTellsWhy(t *testing.T) {
	config := unserved(t)
	config.Ports.HTTP = config.Ports.RPC
	_, err := Start(bounded(t), program(t), config)
	require.ErrorContains(t, err, "rpc.addr is the same address")
}
