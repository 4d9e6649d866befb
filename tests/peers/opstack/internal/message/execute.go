package message

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
)

// Executed is a message that a transaction executed.
type Executed struct {
	Kind     Kind
	Chain    uint64
	Number   uint64
	Hash     common.Hash
	LogIndex uint64
	Tx       common.Hash
	Message  messages.Message
	// Fulfilled says of a [Future] message that its log was made afterwards, as the message says.
	Fulfilled bool
}

// errTooLate says that a transaction came after the block that it was made for. It had no effect.
var errTooLate = errors.New("the transaction came too late for its block")

// Execute executes a message in the block after a fresh head, or not at all: once its block was replaced, it comes back in no later
// block. One that came too late is sent anew, a few times. The block that is named is the one in which the transaction was first
// seen. The sequencer may build the same height again with the same transaction, before the replacement stands there.
func (s *Sender) Execute(ctx context.Context, chain uint64, kind Kind, message messages.Message) (*Executed, error) {
	w, err := s.wallet(chain)
	if err != nil {
		return nil, err
	}
	for range attempts {
		head, err := w.freshHead(ctx)
		if err != nil {
			return nil, err
		}
		executed, err := execute(ctx, w, execution{block: head + 1, kind: kind, message: message})
		if !errors.Is(err, errTooLate) {
			return executed, err
		}
	}
	return nil, fmt.Errorf("chain %d, %d times: %w", chain, attempts, errTooLate)
}

// execution is a message to execute.
type execution struct {
	// block is the last in which it can be.
	block   uint64
	kind    Kind
	message messages.Message
	// first asks for the first place in the block.
	first bool
	// after are calls that follow in the same transaction.
	after []contracts.Call
}

func execute(ctx context.Context, w *wallet, e execution) (*Executed, error) {
	receipt, err := w.transact(ctx, e.order())
	switch {
	case errors.Is(err, errNotIncluded):
		return nil, errors.Join(errTooLate, err)
	case err != nil:
		return nil, err
	case receipt.Status != types.ReceiptStatusSuccessful && receipt.BlockNumber.Uint64() > e.block:
		return nil, errTooLate
	case receipt.Status != types.ReceiptStatusSuccessful:
		return nil, fmt.Errorf("the inbox of chain %d refuses a message of kind %s, in transaction %s", w.ID, e.kind, receipt.TxHash)
	}
	for _, log := range receipt.Logs {
		if log.Address == predeploys.CrossL2InboxAddr {
			return &Executed{
				Kind: e.kind, Chain: w.ID, Number: log.BlockNumber, Hash: log.BlockHash,
				LogIndex: uint64(log.Index), Tx: receipt.TxHash, Message: e.message,
			}, nil
		}
	}
	return nil, fmt.Errorf("transaction %s on chain %d executed no message: is there an inbox?", receipt.TxHash, w.ID)
}

// order declares the message in the access list. The inbox asks for nothing else.
func (e execution) order() order {
	calls := append([]contracts.Call{{
		To: predeploys.CrossL2InboxAddr, Data: contracts.ValidateMessage(e.message.Identifier, e.message.PayloadHash),
	}}, e.after...)
	return order{
		to: contracts.Relay, data: contracts.Relayed(e.block, calls...), first: e.first,
		access: types.AccessList{{
			Address:     predeploys.CrossL2InboxAddr,
			StorageKeys: messages.EncodeAccessList([]messages.Access{e.message.Access()}),
		}},
	}
}
