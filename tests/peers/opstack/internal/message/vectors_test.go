package message

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

var (
	origin = common.HexToAddress("0xe0e1e2e3e4e5e6e7e8e9f0f1f2f3f4f5f6f7f8f9")
	known  = messages.Message{
		Identifier: messages.Identifier{
			Origin: origin, BlockNumber: 0xa1a2a3a4a5a6a7a8, LogIndex: 0xb1b2b3b4, Timestamp: 0xc1c2c3c4c5c6c7c8,
			ChainID: eth.ChainIDFromUInt64(0xd1d2d3d4d5d6d7d8),
		},
		PayloadHash: common.HexToHash("0x8017559a85b12c04b14a1a425d53486d1015f833714a09bd62f04152a7e2ae9b"),
	}
)

// keys are what is declared of a message.
func keys(message messages.Message) []common.Hash {
	return execution{message: message}.order().access[0].StorageKeys
}

func hashes(texts ...string) []common.Hash {
	var result []common.Hash
	for _, text := range texts {
		result = append(result, common.HexToHash(text))
	}
	return result
}

// The constants are known from elsewhere, and were not computed by what is tested.
func TestKnownAccessLists(t *testing.T) {
	require.Equal(t, hashes(
		"0x01000000d1d2d3d4d5d6d7d8a1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4",
		"0x03749e87fd7789575de9906569deb05aaf220dc4cfab3d8abbfd34a2e1d7d357",
	), keys(known))

	wide := known
	id := uint256.NewInt(7)
	id.Lsh(id, 248).AddUint64(id, 10)
	wide.Identifier.ChainID = eth.ChainIDFromBytes32(id.Bytes32())
	require.Equal(t, hashes(
		"0x01000000000000000000000aa1a2a3a4a5a6a7a8c1c2c3c4c5c6c7c8b1b2b3b4",
		"0x0200000000000000070000000000000000000000000000000000000000000000",
		"0x030f3a5f2d8928b9b7f05d95a819aa71d2768ba945ade288d2f6a873f245ede0",
	), keys(wide))

	seen := messages.Message{
		Identifier: messages.Identifier{
			Origin: common.HexToAddress("0x5fbdb2315678afecb367f032d93f642f64180aa3"), BlockNumber: 4509,
			Timestamp: 1730467171, ChainID: eth.ChainIDFromUInt64(900200),
		},
		PayloadHash: common.HexToHash("0xc3f57e1f0dd62a4f77787d834029bfeaab8894022c47edbe13b044fb658c9190"),
	}
	require.Equal(t, hashes(
		"0x0100000000000000000dbc68000000000000119d000000006724d56300000000",
		"0x0307d89c993b125400cb5868be4cbbafa6a6b1d9b8a6d530d49e8c4a30fb2aa1",
	), keys(seen))
}

// The checksum of a log of which only the hash is known.
func TestKnownChecksum(t *testing.T) {
	args := messages.ChecksumArgs{
		BlockNumber: 2587, LogIndex: 66, Timestamp: 4660, ChainID: eth.ChainIDFromUInt64(3),
		LogHash: common.HexToHash("0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	}
	require.Equal(t, "0x03ca886771056d8ea647bb809b888ba14986f57daaf28954d40408321717716a", args.Checksum().String())
}

func TestKnownLog(t *testing.T) {
	topics := []common.Hash{common.HexToHash("0x" + repeat("aa")), common.HexToHash("0x" + repeat("bb"))}
	log := &types.Log{Address: origin, Topics: topics, Data: []byte("example payload"), BlockNumber: 5, Index: 6}
	message := cite(log, 7, 8)
	require.Equal(t, messages.Identifier{
		Origin: origin, BlockNumber: 5, LogIndex: 6, Timestamp: 7, ChainID: eth.ChainIDFromUInt64(8),
	}, message.Identifier)
	require.Equal(t, "0x20b21f284fb0286571fbf1cbfc20cdb1d50ea5c74c914478aee4a47b0a82a170",
		messages.PayloadHashToLogHash(message.PayloadHash, origin).String())
	require.Equal(t, message.PayloadHash, crypto.Keccak256Hash(contracts.Payload(topics, log.Data)))
	// A log without topics, whose payload is its data.
	require.Equal(t, known.PayloadHash, cite(&types.Log{Address: origin, Data: log.Data}, 0, 0).PayloadHash)
}

func repeat(pair string) string {
	text := ""
	for range common.HashLength {
		text += pair
	}
	return text
}

// The OP Stack reads from the transaction what was meant, and the inbox's event has the call's words.
func TestUpstreamReadsTheTransaction(t *testing.T) {
	o := execution{message: known, block: 9}.order()
	require.Equal(t, contracts.Relay, o.to)
	declared, err := messages.DecodeAccessList(o.access)
	require.NoError(t, err)
	require.Equal(t, []messages.Access{known.Access()}, declared)

	call := contracts.ValidateMessage(known.Identifier, known.PayloadHash)
	require.Equal(t, common.FromHex("0xab4d6f75"), call[:4])
	identifier, payload := call[4:len(call)-common.HashLength], call[len(call)-common.HashLength:]
	read, err := messages.MessageFromLog(&types.Log{
		Address: predeploys.CrossL2InboxAddr, Data: identifier,
		Topics: []common.Hash{messages.ExecutingMessageEventTopic, common.BytesToHash(payload)},
	})
	require.NoError(t, err)
	require.Equal(t, known, *read)
	require.Equal(t, "0x5c37832d2e8d10e346e55ad62071a6a2f9fa5130614ef2ec6617555c6f467ba7",
		messages.ExecutingMessageEventTopic.String())
}
