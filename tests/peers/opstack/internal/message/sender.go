package message

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// attempts bounds how often something is sent that came too late for its block.
const attempts = 8

// Sender sends messages. It is safe for concurrent use. There must be no other sender for the same chains at the same time: each
// takes all users for its own.
type Sender struct {
	// Settled, where it is not nil, waits until an initiating message's block stays: then no replacement of another block
	// takes it away before it is executed.
	Settled func(ctx context.Context, chain, height uint64) error

	wallets map[uint64]*wallet
}

// NewSender sends messages between these chains.
func NewSender(chains ...*Chain) *Sender {
	s := &Sender{wallets: map[uint64]*wallet{}}
	for _, chain := range chains {
		s.wallets[chain.ID] = newWallet(chain)
	}
	return s
}

// Send initiates a message on one chain, and executes it on another with what the kind names made wrong. It waits until interop is
// active on both. A cycle takes two executions: see [Sender.SendCycle].
func (s *Sender) Send(ctx context.Context, from, to uint64, kind Kind) (*Executed, error) {
	source, target, err := s.pair(ctx, from, to)
	if err != nil {
		return nil, err
	}
	switch kind {
	case Future:
		return s.sendFuture(ctx, source, target)
	case SameTimestamp:
		return s.SendSameTimestamp(ctx, from, to)
	}
	message, err := s.Initiate(ctx, from)
	if err != nil {
		return nil, err
	}
	if s.Settled != nil {
		if err := s.Settled(ctx, from, message.Identifier.BlockNumber); err != nil {
			return nil, err
		}
	}
	if kind == Expired && expiresSoon(source.window()) {
		// The block after this head is the first at which the message has expired.
		expired := target.heightAt(message.Identifier.Timestamp + source.window() + 1)
		if err := target.awaitHead(ctx, expired-1); err != nil {
			return nil, err
		}
	}
	// One chain may be behind another after a replacement: nothing but a kind may make a message too early.
	if err := target.awaitHead(ctx, target.heightAt(message.Identifier.Timestamp)); err != nil {
		return nil, err
	}
	falsified, err := falsify(kind, *message, source)
	if err != nil {
		return nil, err
	}
	return s.Execute(ctx, to, kind, falsified)
}

// pair finds two chains on which interop is active.
func (s *Sender) pair(ctx context.Context, from, to uint64) (*wallet, *wallet, error) {
	source, err := s.wallet(from)
	if err != nil {
		return nil, nil, err
	}
	target, err := s.wallet(to)
	if err != nil {
		return nil, nil, err
	}
	if err := source.awaitActive(ctx); err != nil {
		return nil, nil, err
	}
	return source, target, target.awaitActive(ctx)
}

func (s *Sender) wallet(chain uint64) (*wallet, error) {
	w, known := s.wallets[chain]
	if !known {
		return nil, fmt.Errorf("nothing can be sent on chain %d", chain)
	}
	return w, nil
}

// Initiate makes a log, and gives the message that cites it truly.
func (s *Sender) Initiate(ctx context.Context, chain uint64) (*messages.Message, error) {
	w, err := s.wallet(chain)
	if err != nil {
		return nil, err
	}
	message, _, err := w.initiate(ctx)
	return message, err
}

// initiate gives the block of the log, too.
func (w *wallet) initiate(ctx context.Context) (*messages.Message, common.Hash, error) {
	topics, data := content()
	receipt, err := w.transact(ctx, order{to: contracts.Emitter, data: contracts.Emit(topics, data)})
	if err != nil {
		return nil, common.Hash{}, err
	}
	if receipt.Status != types.ReceiptStatusSuccessful || len(receipt.Logs) != 1 {
		return nil, common.Hash{}, fmt.Errorf("transaction %s on chain %d made %d logs, with status %d",
			receipt.TxHash, w.ID, len(receipt.Logs), receipt.Status)
	}
	log := receipt.Logs[0]
	message := cite(log, w.timeOf(log.BlockNumber), w.ID)
	return &message, receipt.BlockHash, nil
}

// cite is the message that cites a log truly.
func cite(log *types.Log, timestamp, chain uint64) messages.Message {
	return messages.Message{
		Identifier: messages.Identifier{
			Origin: log.Address, BlockNumber: log.BlockNumber, LogIndex: uint32(log.Index),
			Timestamp: timestamp, ChainID: eth.ChainIDFromUInt64(chain),
		},
		PayloadHash: crypto.Keccak256Hash(messages.LogToMessagePayload(log)),
	}
}

// content is what no other log has.
func content() ([]common.Hash, []byte) {
	data := make([]byte, 16)
	rand.Read(data) // It never fails.
	return []common.Hash{crypto.Keccak256Hash([]byte("message of a test"))}, data
}
