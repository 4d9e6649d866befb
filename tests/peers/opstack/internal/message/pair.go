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

// ErrMisplaced says that two transactions did not get into blocks of one timestamp as they had to. What was executed all the same
// is returned with it, and may be invalid.
var ErrMisplaced = errors.New("the two transactions were not placed in blocks of one timestamp")

// predicted is a log that will be made.
type predicted struct {
	topics  []common.Hash
	data    []byte
	message messages.Message
}

// predict says which message a log of the emitter will be, at an index of a block that is not there yet.
func (s *Sender) predict(chain *Chain, block uint64, index uint32) predicted {
	topics, data := s.content()
	return predicted{topics: topics, data: data, message: messages.Message{
		Identifier: messages.Identifier{
			Origin: contracts.Emitter, BlockNumber: block, LogIndex: index,
			Timestamp: chain.Genesis.Timestamp + block*chain.Rollup.BlockTime, ChainID: eth.ChainIDFromUInt64(chain.ID),
		},
		PayloadHash: crypto.Keccak256Hash(contracts.Payload(topics, data)),
	}}
}

func (p predicted) call() contracts.Call {
	return contracts.Call{To: contracts.Emitter, Data: contracts.Emit(p.topics, p.data)}
}

// sameNext waits until both chains have a fresh head of one height, and gives the height after it: blocks of one height have
// one timestamp. Nothing else may make logs meanwhile.
func (s *Sender) sameNext(ctx context.Context, a, b *Chain) (uint64, error) {
	for {
		head, err := a.freshHead(ctx)
		if err != nil {
			return 0, err
		}
		other, err := b.Client.BlockNumber(ctx)
		if err == nil && (other == head || other+1 == head) {
			// The other chain is about to make, or has just made, its block of this height.
			return head + 2, nil
		}
	}
}

// SendSameTimestamp initiates a message in a block of one chain, and executes it in the block of the same timestamp of another.
func (s *Sender) SendSameTimestamp(ctx context.Context, from, to uint64) (*Executed, error) {
	a, b := s.chains[from], s.chains[to]
	block, err := s.sameNext(ctx, a, b)
	if err != nil {
		return nil, err
	}
	if err := s.awaitBefore(ctx, block, a, b); err != nil {
		return nil, err
	}
	log := s.predict(a, block, 0)
	initiating, err := a.send(ctx, s.key(), contracts.Relay, contracts.Relayed(block, log.call()), nil)
	if err != nil {
		return nil, err
	}
	executed, failed := s.executeIn(ctx, b, block, SameTimestamp, log.message)
	receipt, err := a.receipt(ctx, initiating)
	if err != nil {
		return executed, err
	}
	placed := receipt.Status == types.ReceiptStatusSuccessful && receipt.BlockNumber.Uint64() == block &&
		len(receipt.Logs) == 1 && receipt.Logs[0].Index == 0
	if failed != nil || !placed || executed.Number != block {
		return executed, fmt.Errorf("block %d: %w", block, errors.Join(ErrMisplaced, failed))
	}
	return executed, nil
}

// SendCycle executes a message on each of two chains, in blocks of one timestamp, that cites a log which the other makes only after
// it has executed the first.
func (s *Sender) SendCycle(ctx context.Context, one, two uint64) ([2]*Executed, error) {
	var executed [2]*Executed
	chains := [2]*Chain{s.chains[one], s.chains[two]}
	block, err := s.sameNext(ctx, chains[0], chains[1])
	if err != nil {
		return executed, err
	}
	if err := s.awaitBefore(ctx, block, chains[0], chains[1]); err != nil {
		return executed, err
	}
	// The inbox's log comes first in each transaction, the emitter's second.
	logs := [2]predicted{s.predict(chains[0], block, 1), s.predict(chains[1], block, 1)}
	failures := make(chan error, 2)
	for i := range chains {
		go func() {
			var err error
			executed[i], err = s.executeIn(ctx, chains[i], block, Cycle, logs[1-i].message, logs[i].call())
			failures <- err
		}()
	}
	failed := errors.Join(<-failures, <-failures)
	if failed != nil || executed[0].Number != block || executed[1].Number != block ||
		executed[0].LogIndex != 0 || executed[1].LogIndex != 0 {
		return executed, fmt.Errorf("block %d: %w", block, errors.Join(ErrMisplaced, failed))
	}
	return executed, nil
}

// awaitBefore waits until both chains have the block before this one.
func (s *Sender) awaitBefore(ctx context.Context, block uint64, chains ...*Chain) error {
	for _, chain := range chains {
		for {
			head, err := chain.Client.BlockNumber(ctx)
			if err == nil && head+1 >= block {
				break
			}
			if err := pause(ctx); err != nil {
				return fmt.Errorf("chain %d does not reach block %d: %w", chain.ID, block-1, err)
			}
		}
	}
	return nil
}
