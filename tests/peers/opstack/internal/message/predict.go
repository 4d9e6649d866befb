package message

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// predicted is a log that will be made.
type predicted struct {
	topics  []common.Hash
	data    []byte
	message messages.Message
}

// predict says which message a log of the emitter will be, at an index of a block that is not there yet. An index can be foretold,
// because the deposit that begins a block makes no log, and a transaction that outbids the others comes right after it.
func predict(chain *Chain, block uint64, index uint32) predicted {
	topics, data := content()
	return predicted{topics: topics, data: data, message: messages.Message{
		Identifier: messages.Identifier{
			Origin: contracts.Emitter, BlockNumber: block, LogIndex: index,
			Timestamp: chain.timeOf(block), ChainID: eth.ChainIDFromUInt64(chain.ID),
		},
		PayloadHash: crypto.Keccak256Hash(contracts.Payload(topics, data)),
	}}
}

func (p predicted) call() contracts.Call {
	return contracts.Call{To: contracts.Emitter, Data: contracts.Emit(p.topics, p.data)}
}

// emit makes the log, in its block or not at all. The block before it must be there. It says whether all came as predicted.
func (p predicted) emit(ctx context.Context, w *wallet) (bool, error) {
	id := p.message.Identifier
	receipt, err := w.transact(ctx, order{
		to: contracts.Relay, data: contracts.Relayed(id.BlockNumber, p.call()), first: true,
	})
	if errors.Is(err, errNotIncluded) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return receipt.Status == types.ReceiptStatusSuccessful && len(receipt.Logs) == 1 &&
		cite(receipt.Logs[0], w.timeOf(receipt.BlockNumber.Uint64()), w.ID) == p.message, nil
}

// sendFuture executes a message whose log is made in the next block of the other chain. Chains of one network have blocks of one
// timestamp at one height.
func (s *Sender) sendFuture(ctx context.Context, from, to *wallet) (*Executed, error) {
	for range attempts {
		head, err := to.freshHead(ctx)
		if err != nil {
			return nil, err
		}
		log := predict(from.Chain, head+2, 0)
		executed, err := execute(ctx, to, execution{block: head + 1, kind: Future, message: log.message})
		if errors.Is(err, errTooLate) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := from.awaitHead(ctx, head+1); err != nil {
			return executed, err
		}
		// The message is too early, whatever becomes of the log.
		executed.Fulfilled, err = log.emit(ctx, from)
		return executed, err
	}
	return nil, fmt.Errorf("chain %d, %d times: %w", to.ID, attempts, errTooLate)
}
