package gossip

import (
	"context"
	"crypto/ecdsa"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-core/forks"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
)

const testChain = 901

func testRollup() *rollup.Config {
	config := &rollup.Config{L2ChainID: big.NewInt(testChain), BlockTime: 2}
	config.ActivateAt(forks.Lagoon, 1)
	return config
}

func testKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := crypto.GenerateKey()
	require.NoError(t, err)
	return key
}

// madeUpBlock is a block of now that no chain has. It is well-formed, one deposit included.
func madeUpBlock(number uint64, parent common.Hash) *types.Block {
	deposit := types.NewTx(&types.DepositTx{
		SourceHash: common.Hash{byte(number)}, To: &common.Address{1}, Value: big.NewInt(1), Gas: 21_000,
	})
	withdrawals, noBlobs := common.Hash{9}, uint64(0)
	header := &types.Header{
		ParentHash:       parent,
		UncleHash:        types.EmptyUncleHash,
		Root:             common.Hash{2},
		TxHash:           types.DeriveSha(types.Transactions{deposit}, trie.NewStackTrie(nil)),
		ReceiptHash:      common.Hash{3},
		Difficulty:       new(big.Int),
		Number:           new(big.Int).SetUint64(number),
		GasLimit:         30_000_000,
		GasUsed:          21_000,
		Time:             uint64(time.Now().Unix()),
		Extra:            make([]byte, 17),
		BaseFee:          big.NewInt(7),
		WithdrawalsHash:  &withdrawals,
		BlobGasUsed:      &noBlobs,
		ExcessBlobGas:    &noBlobs,
		ParentBeaconRoot: &common.Hash{4},
		RequestsHash:     &types.EmptyRequestsHash,
	}
	body := types.Body{Transactions: types.Transactions{deposit}, Withdrawals: types.Withdrawals{}}
	return types.NewBlockWithHeader(header).WithBody(body)
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func startHost(t *testing.T, name string) *Host {
	host, err := NewHost(testRollup(), name, log.NewLogger(log.DiscardHandler()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, host.Stop()) })
	return host
}

// dialled are two hosts, of which the first keeps a connection to the second.
func dialled(t *testing.T, ctx context.Context) (from, to *Host) {
	from, to = startHost(t, "from"), startHost(t, "to")
	address, err := to.Multiaddr()
	require.NoError(t, err)
	require.NoError(t, from.Connect(ctx, address))
	require.NoError(t, from.AwaitConnected(ctx, to.ID()))
	require.NoError(t, to.AwaitConnected(ctx, from.ID()))
	return from, to
}
