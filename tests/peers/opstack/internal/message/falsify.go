package message

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// expiryWindow is the protocol's: seven days, in seconds.
	expiryWindow = 7 * 24 * 3600
	// margin is far more than any test lasts, in seconds.
	margin = 24 * 3600
	// noSuchLog is further on in a block than any test fills it.
	noSuchLog = 1000
	// noSuchChain is in no dependency set.
	noSuchChain = 31337
)

// falsify makes the one thing wrong that the kind names.
func falsify(kind Kind, message messages.Message, blockTime uint64) (messages.Message, error) {
	id := &message.Identifier
	switch kind {
	case Valid:
	case WrongHash:
		message.PayloadHash = crypto.Keccak256Hash(message.PayloadHash[:])
	case WrongTimestamp:
		id.Timestamp -= blockTime
	case WrongIndex:
		id.LogIndex += noSuchLog
	case WrongOrigin:
		id.Origin = common.BytesToAddress(crypto.Keccak256(id.Origin[:]))
	case UnknownChain:
		id.ChainID = eth.ChainIDFromUInt64(noSuchChain)
	case Future:
		id.Timestamp += margin
	case Expired:
		id.Timestamp -= expiryWindow + margin
	default:
		return message, fmt.Errorf("a message of kind %s needs blocks of two chains", kind)
	}
	return message, nil
}
