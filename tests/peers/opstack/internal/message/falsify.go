package message

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// margin is far more than any test lasts, in seconds.
	margin = 24 * 3600
	// noSuchLog is further on in a block than any test fills it.
	noSuchLog = 1000
	// noSuchChain is in no dependency set.
	noSuchChain = 31337
)

// falsify makes the one thing wrong that the kind names, in a message from this chain.
func falsify(kind Kind, message messages.Message, from *wallet) (messages.Message, error) {
	id := &message.Identifier
	switch kind {
	case Valid:
	case WrongHash:
		message.PayloadHash = crypto.Keccak256Hash(message.PayloadHash[:])
	case WrongTimestamp:
		id.Timestamp -= from.Rollup.BlockTime
	case WrongIndex:
		id.LogIndex += noSuchLog
	case WrongOrigin:
		id.Origin = common.BytesToAddress(crypto.Keccak256(id.Origin[:]))
	case UnknownChain:
		id.ChainID = eth.ChainIDFromUInt64(noSuchChain)
	case Expired:
		if window := from.window(); !expiresSoon(window) {
			id.Timestamp -= window + margin
		}
	default:
		return message, fmt.Errorf("a message of kind %s is not made from a log that is there", kind)
	}
	return message, nil
}

// longestWait is how long it is waited at most until a message expires, in seconds.
const longestWait = 120

// expiresSoon says whether a test can wait until a message is older than the expiry window.
func expiresSoon(window uint64) bool { return window <= longestWait }
