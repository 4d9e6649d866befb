package message

import (
	"context"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
)

// pace is how often the stand-in makes a block.
const pace = 250 * time.Millisecond

// oneChain and twoChains are chains that make blocks.
func oneChain(t *testing.T) (*standIn, *Chain) {
	stand, one := newStandIn(t, testChains(t)[0])
	run(t, stand)
	return stand, one
}

func twoChains(t *testing.T, chains []*network.Chain) (*Chain, *Chain) {
	first, one := newStandIn(t, chains[0])
	second, two := newStandIn(t, chains[1])
	run(t, first, second)
	return one, two
}

func testChains(t *testing.T) []*network.Chain {
	made, err := network.New(network.Options{
		Chains: 2, LagoonDelay: 4, BlockTime: 2, L1BlockTime: 3, FinalityDistance: 4,
		// The stand-ins begin at height 100. They are ahead of the clock.
		GenesisTime: uint64(time.Now().Unix()) - 200,
	})
	require.NoError(t, err)
	return made.Chains
}

// standIn answers as an execution client does, and makes blocks. Its transactions do nothing: a call of the relay fails after its
// last block, one that declares a message makes the inbox's log, and any other call makes a log of the emitter.
type standIn struct {
	t     *testing.T
	chain *network.Chain

	mu       sync.Mutex
	head     uint64
	nonces   map[common.Address]uint64
	waiting  []*types.Transaction
	receipts map[common.Hash]*types.Receipt
	sent     int
	// treat says of the transaction that is sent as this one in order how many blocks it is held back. Below zero: for ever.
	treat func(sent int) int
	held  map[common.Hash]uint64
}

func newStandIn(t *testing.T, chain *network.Chain) (*standIn, *Chain) {
	s := &standIn{
		t: t, chain: chain, head: 100, nonces: map[common.Address]uint64{}, receipts: map[common.Hash]*types.Receipt{},
		held: map[common.Hash]uint64{}, treat: func(int) int { return 0 },
	}
	server := rpc.NewServer()
	require.NoError(t, server.RegisterName("eth", s))
	client := ethclient.NewClient(rpc.DialInProc(server))
	t.Cleanup(func() { client.Close(); server.Stop() })
	return s, &Chain{Chain: chain, Client: client}
}

// run makes blocks of all stand-ins at once, until the test ends.
func run(t *testing.T, stands ...*standIn) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				for _, s := range stands {
					s.mine()
				}
			}
		}
	}()
	t.Cleanup(func() { stop(); <-done })
}

func (s *standIn) BlockNumber() hexutil.Uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return hexutil.Uint64(s.head)
}

func (s *standIn) GetTransactionCount(address common.Address, _ string) hexutil.Uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return hexutil.Uint64(s.nonces[address])
}

func (s *standIn) SendRawTransaction(data hexutil.Bytes) (common.Hash, error) {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(data); err != nil {
		return common.Hash{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks := s.treat(s.sent)
	s.sent++
	if blocks < 0 {
		return tx.Hash(), nil // It is forgotten, and its nonce is free.
	}
	from, err := types.Sender(types.LatestSigner(s.chain.Genesis.Config), tx)
	if err != nil {
		return common.Hash{}, err
	}
	if s.nonces[from] != tx.Nonce() {
		s.t.Errorf("%s has nonce %d, and sends %d", from, s.nonces[from], tx.Nonce())
	}
	s.nonces[from]++
	s.held[tx.Hash()] = s.head + uint64(blocks)
	s.waiting = append(s.waiting, tx)
	return tx.Hash(), nil
}

func (s *standIn) GetTransactionReceipt(hash common.Hash) *types.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receipts[hash]
}

func (s *standIn) GetBlockByNumber(number rpc.BlockNumber, _ bool) *types.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number == rpc.SafeBlockNumber {
		return s.header(s.head - 1)
	}
	return s.header(uint64(number))
}

func (s *standIn) header(height uint64) *types.Header {
	return &types.Header{Number: new(big.Int).SetUint64(height), Difficulty: new(big.Int), GasLimit: height}
}

func (s *standIn) mine() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head++
	var left []*types.Transaction
	index := uint(0)
	for _, tx := range s.waiting {
		if s.held[tx.Hash()] >= s.head {
			left = append(left, tx)
			continue
		}
		receipt := s.execute(tx)
		for _, log := range receipt.Logs {
			log.Index = index
			index++
		}
		s.receipts[tx.Hash()] = receipt
	}
	s.waiting = left
}

// execute makes a receipt.
func (s *standIn) execute(tx *types.Transaction) *types.Receipt {
	number := new(big.Int).SetUint64(s.head)
	receipt := &types.Receipt{
		Status: types.ReceiptStatusSuccessful, TxHash: tx.Hash(), BlockNumber: number, BlockHash: s.header(s.head).Hash(),
		Logs: []*types.Log{},
	}
	log := &types.Log{
		Address: contracts.Emitter, Topics: []common.Hash{{1}}, Data: []byte{2}, TxHash: tx.Hash(), BlockNumber: s.head,
		BlockHash: receipt.BlockHash,
	}
	if len(tx.AccessList()) > 0 {
		log.Address = predeploys.CrossL2InboxAddr
	}
	switch {
	case *tx.To() == contracts.Relay && new(big.Int).SetBytes(tx.Data()[:32]).Cmp(number) < 0:
		receipt.Status = types.ReceiptStatusFailed
	case len(tx.Data()) > 0:
		receipt.Logs = append(receipt.Logs, log)
	}
	return receipt
}
