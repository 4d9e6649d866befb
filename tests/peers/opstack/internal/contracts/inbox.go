package contracts

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
)

var validateMessage = crypto.Keccak256([]byte("validateMessage((address,uint256,uint256,uint256,uint256),bytes32)"))[:4]

// ValidateMessage is the input of the CrossL2Inbox, a predeploy, that executes a message. The inbox takes any message
// whose checksum is in the transaction's access list: whether it exists is for others to judge.
func ValidateMessage(id messages.Identifier, payloadHash common.Hash) []byte {
	input := append([]byte{}, validateMessage...)
	input = append(input, padded(id.Origin)...)
	input = append(input, number(id.BlockNumber)...)
	input = append(input, number(uint64(id.LogIndex))...)
	input = append(input, number(id.Timestamp)...)
	chain := id.ChainID.Bytes32()
	input = append(input, chain[:]...)
	return append(input, payloadHash[:]...)
}
