package gossip

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// withoutCrosscheck is set where no crosscheck program is at hand.
const withoutCrosscheck = "OPSTACK_WITHOUT_CROSSCHECK"

// program finds the crosscheck program: $CROSSCHECK, or what was built last.
func program(t *testing.T) string {
	if os.Getenv(withoutCrosscheck) != "" {
		t.Skip(withoutCrosscheck + " is set")
	}
	if path := os.Getenv("CROSSCHECK"); path != "" {
		return path
	}
	for _, profile := range []string{"release", "debug"} {
		path := filepath.Join("../../../../../target", profile, "crosscheck")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("there is no crosscheck program: build it, name it in $CROSSCHECK, or set %s", withoutCrosscheck)
	return ""
}

// TestCrosscheckJudgesWhatAnAttesterSays hands frames to the real program, as they were heard by another host.
func TestCrosscheckJudgesWhatAnAttesterSays(t *testing.T) {
	binary := program(t)
	ctx := deadline(t)
	from, to := dialled(t, ctx)
	listener, err := Listen(to, CrossSafe)
	require.NoError(t, err)
	require.NoError(t, from.AwaitListener(ctx, CrossSafe, to.ID()))
	key := testKey(t)
	attester, err := newAttester(from, AttesterOptions{Rollup: testRollup(), Key: key}, &fakeView{})
	require.NoError(t, err)

	wrongHash, err := FromBlock(testRollup(), madeUpBlock(8, [32]byte{1}))
	require.NoError(t, err)
	wrongHash.ExecutionPayload.GasUsed++
	right, err := FromBlock(testRollup(), madeUpBlock(7, [32]byte{1}))
	require.NoError(t, err)
	for name, given := range map[string]struct {
		envelope *eth.ExecutionPayloadEnvelope
		manner   Manner
		expected string
	}{
		"own":       {right, Manner{}, "accept"},
		"zero":      {right, Manner{Domain: ZeroDomain}, "accept"},
		"key":       {right, Manner{Key: testKey(t)}, "wrong-signer"},
		"payload":   {right, Manner{Corrupt: FlipPayloadBit}, "wrong-signer"},
		"signature": {right, Manner{Corrupt: NoRecoveryID}, "bad-recovery-id"},
		"hash":      {wrongHash, Manner{}, "block-hash-mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			sent, err := attester.Publish(ctx, given.envelope, given.manner)
			require.NoError(t, err)
			require.Equal(t, 1, sent.Listeners)
			frame, err := listener.Await(ctx, func(frame Frame) bool { return string(frame.Data) == string(sent.Frame) })
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "frame")
			require.NoError(t, os.WriteFile(path, frame.Data, 0o600))
			answer, _ := exec.CommandContext(ctx, binary, "envelope", "inspect", "--chain-id", fmt.Sprint(testChain),
				"--topic", string(CrossSafe), "--signer", crypto.PubkeyToAddress(key.PublicKey).Hex(), path).CombinedOutput()
			require.Contains(t, strings.ToLower(string(answer)), given.expected)
			if given.expected == "accept" {
				require.Contains(t, string(answer), given.manner.Domain.String())
				require.Contains(t, string(answer), given.envelope.ExecutionPayload.BlockHash.Hex())
			}
			t.Log(string(answer))
		})
	}
}

func TestFramesAreReadBack(t *testing.T) {
	key := testKey(t)
	signer := crypto.PubkeyToAddress(key.PublicKey)
	block := madeUpBlock(7, [32]byte{1})
	envelope, err := FromBlock(testRollup(), block)
	require.NoError(t, err)
	for _, domain := range []Domain{OwnDomain, ZeroDomain} {
		data, err := Seal(testChain, envelope, Manner{Key: key, Domain: domain})
		require.NoError(t, err)
		opened, err := Frame{ChainID: testChain, Topic: CrossSafe, Data: data}.Open()
		require.NoError(t, err)
		require.Equal(t, block.Hash(), opened.Envelope.ExecutionPayload.BlockHash)
		require.Equal(t, domain == OwnDomain, opened.Own == signer)
		require.Equal(t, domain == ZeroDomain, opened.Zero == signer)
	}
	_, err = Frame{Data: []byte("no frame")}.Open()
	require.Error(t, err)
}
