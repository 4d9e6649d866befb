package message

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// attempts bounds how often a message is sent that came too late for its block.
const attempts = 8

// Executed is a message that a transaction executed.
type Executed struct {
	Kind     Kind
	Chain    uint64
	Number   uint64
	Hash     common.Hash
	LogIndex uint64
	Tx       common.Hash
	Message  messages.Message
}

// Sender sends messages. It is safe for concurrent use: each call takes a user of its own.
type Sender struct {
	chains map[uint64]*Chain

	mu   sync.Mutex
	user int
	salt uint64
}

// NewSender sends messages between these chains.
func NewSender(chains ...*Chain) *Sender {
	s := &Sender{chains: map[uint64]*Chain{}}
	for _, chain := range chains {
		s.chains[chain.ID] = chain
	}
	return s
}

// Send initiates a message on one chain, and executes it on another with what the kind names made wrong.
func (s *Sender) Send(ctx context.Context, from, to uint64, kind Kind) (*Executed, error) {
	message, err := s.Initiate(ctx, from)
	if err != nil {
		return nil, err
	}
	falsified, err := falsify(kind, *message, s.chains[to].Rollup.BlockTime)
	if err != nil {
		return nil, err
	}
	return s.Execute(ctx, to, kind, falsified)
}

// Initiate makes a log, and gives the message that cites it truly.
func (s *Sender) Initiate(ctx context.Context, chain uint64) (*messages.Message, error) {
	c := s.chains[chain]
	topics, data := s.content()
	tx, err := c.send(ctx, s.key(), contracts.Emitter, contracts.Emit(topics, data), nil)
	if err != nil {
		return nil, err
	}
	receipt, err := c.receipt(ctx, tx)
	if err != nil {
		return nil, err
	}
	if receipt.Status != types.ReceiptStatusSuccessful || len(receipt.Logs) != 1 {
		return nil, fmt.Errorf("transaction %s on chain %d made %d logs, with status %d", tx, chain, len(receipt.Logs), receipt.Status)
	}
	header, err := c.Client.HeaderByHash(ctx, receipt.BlockHash)
	if err != nil {
		return nil, fmt.Errorf("cannot read block %s of chain %d: %w", receipt.BlockHash, chain, err)
	}
	made := receipt.Logs[0]
	return &messages.Message{
		Identifier: messages.Identifier{
			Origin: made.Address, BlockNumber: made.BlockNumber, LogIndex: uint32(made.Index),
			Timestamp: header.Time, ChainID: eth.ChainIDFromUInt64(chain),
		},
		PayloadHash: crypto.Keccak256Hash(messages.LogToMessagePayload(made)),
	}, nil
}

// errTooLate says that a transaction came after the block that it was made for.
var errTooLate = errors.New("the transaction came too late for its block")

// Execute executes a message, in the next block or not at all, so that it comes back in no later block once its own was
// replaced. One that came too late is sent anew.
func (s *Sender) Execute(ctx context.Context, chain uint64, kind Kind, message messages.Message) (*Executed, error) {
	c := s.chains[chain]
	for range attempts {
		head, err := c.freshHead(ctx)
		if err != nil {
			return nil, err
		}
		executed, err := s.executeIn(ctx, c, head+1, kind, message)
		if !errors.Is(err, errTooLate) {
			return executed, err
		}
	}
	return nil, fmt.Errorf("chain %d, %d times: %w", chain, attempts, errTooLate)
}

func (s *Sender) executeIn(
	ctx context.Context, c *Chain, block uint64, kind Kind, message messages.Message, after ...contracts.Call,
) (*Executed, error) {
	calls := append([]contracts.Call{{
		To: predeploys.CrossL2InboxAddr, Data: contracts.ValidateMessage(message.Identifier, message.PayloadHash),
	}}, after...)
	access := types.AccessList{{
		Address:     predeploys.CrossL2InboxAddr,
		StorageKeys: messages.EncodeAccessList([]messages.Access{message.Access()}),
	}}
	tx, err := c.send(ctx, s.key(), contracts.Relay, contracts.Relayed(block, calls...), access)
	if err != nil {
		return nil, err
	}
	receipt, err := c.receipt(ctx, tx)
	if err != nil {
		return nil, err
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return nil, errTooLate
	}
	for _, made := range receipt.Logs {
		if made.Address == predeploys.CrossL2InboxAddr {
			return &Executed{
				Kind: kind, Chain: c.ID, Number: made.BlockNumber, Hash: made.BlockHash,
				LogIndex: uint64(made.Index), Tx: tx, Message: message,
			}, nil
		}
	}
	return nil, fmt.Errorf("transaction %s on chain %d executed no message", tx, c.ID)
}

// key is the next user's.
func (s *Sender) key() *ecdsa.PrivateKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user = (s.user + 1) % network.Users
	return network.UserKey(s.user)
}

// content is what no other log has.
func (s *Sender) content() ([]common.Hash, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.salt++
	topic := crypto.Keccak256Hash([]byte("message of a test"))
	return []common.Hash{topic}, binary.BigEndian.AppendUint64(nil, s.salt)
}
