package verdicts

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/binary"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/golang/snappy"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

const (
	testChain = 901
	testTime  = 1_800_000_000
)

func testKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	return key
}

// signed are the signed bytes of a block of the first version that hashes to what it claims.
func signed(t *testing.T) []byte {
	payload := &eth.ExecutionPayload{BlockNumber: 5, Timestamp: testTime, ExtraData: make([]byte, 8)}
	hash, _ := (&eth.ExecutionPayloadEnvelope{ExecutionPayload: payload}).CheckBlockHash()
	payload.BlockHash = hash
	var buffer bytes.Buffer
	_, err := payload.MarshalSSZ(&buffer)
	require.NoError(t, err)
	return buffer.Bytes()
}

func frame(t *testing.T, key *ecdsa.PrivateKey, signed []byte) []byte {
	message := opsigner.BlockSigningMessage{
		ChainID: eth.ChainIDFromUInt64(testChain), PayloadHash: opsigner.PayloadHash(signed),
	}
	hash := message.ToSigningHash()
	signature, err := crypto.Sign(hash[:], key)
	require.NoError(t, err)
	return snappy.Encode(nil, append(signature, signed...))
}

func question(kind byte, parts ...[]byte) []byte {
	question := append([]byte{kind}, bytes.Join(parts, nil)...)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(question))), question...)
}

func ask(t *testing.T, questions ...[]byte) [][]byte {
	var out bytes.Buffer
	require.NoError(t, Serve(bytes.NewReader(bytes.Join(questions, nil)), &out))
	var answers [][]byte
	for out.Len() > 0 {
		size := binary.LittleEndian.Uint32(out.Next(4))
		answers = append(answers, bytes.Clone(out.Next(int(size))))
	}
	require.Len(t, answers, len(questions))
	return answers
}

func TestFramesAreJudgedInTheirOrder(t *testing.T) {
	key, next, bytes := testKey(t), testKey(t), signed(t)
	address := func(key *ecdsa.PrivateKey) []byte {
		address := crypto.PubkeyToAddress(key.PublicKey)
		return address[:]
	}
	number := func(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number) }
	reset := question(askReset, number(testChain), address(key), number(0))
	judge := func(now uint64, by *ecdsa.PrivateKey) []byte {
		return question(askJudge, []byte{1}, number(now), frame(t, by, bytes))
	}
	answers := ask(t,
		reset, judge(testTime, key), judge(testTime, key), judge(testTime, next), judge(testTime+61, key),
		question(askName, address(next)), judge(testTime, next), judge(testTime, key),
		reset, judge(testTime+60, key),
	)
	var verdicts []string
	for _, answer := range answers {
		if len(answer) > 0 {
			verdicts = append(verdicts, string(answer[:1]))
			require.GreaterOrEqual(t, len(answer), 21)
		}
	}
	require.Equal(t, []string{"a", "i", "r", "r", "i", "r", "a"}, verdicts)
	require.Contains(t, string(answers[4][21:]), "too old")
}

func TestHashesAreToldOfBlocksAlone(t *testing.T) {
	bytes := signed(t)
	answers := ask(t, question(askHash, []byte{1}, bytes), question(askHash, []byte{1}, bytes[1:]), question(askHash, []byte{4}, bytes))
	require.Equal(t, bytes[472:504], answers[0])
	require.Empty(t, answers[1])
	require.Empty(t, answers[2])
}

func TestWhatCannotBeAnsweredEndsIt(t *testing.T) {
	for _, bad := range [][]byte{
		question('?'), question(askJudge, make([]byte, 40)), question(askName, common.Address{}.Bytes()), question(askReset), {0, 0, 0, 0}, {9},
		{9, 0, 0, 0, askHash},
	} {
		require.Error(t, Serve(bytes.NewReader(bad), &bytes.Buffer{}), "%x", bad)
	}
}

// What is measured is judged so often, each time as if for the first.
func TestAFrameIsMeasured(t *testing.T) {
	key := testKey(t)
	signer := crypto.PubkeyToAddress(key.PublicKey)
	reset := question(askReset, binary.LittleEndian.AppendUint64(nil, testChain), signer[:])
	at := append([]byte{1}, binary.LittleEndian.AppendUint64(nil, testTime)...)
	measure := question(askMeasure, at, binary.LittleEndian.AppendUint32(nil, 3), frame(t, key, signed(t)))
	answers := ask(t, reset, measure)
	require.Len(t, answers, 2)
	require.Len(t, answers[1], 8)
	stranger := question(askMeasure, at, binary.LittleEndian.AppendUint32(nil, 3), frame(t, testKey(t), signed(t)))
	require.ErrorContains(t, Serve(bytes.NewReader(append(reset, stranger...)), &bytes.Buffer{}), "does not accept")
}
