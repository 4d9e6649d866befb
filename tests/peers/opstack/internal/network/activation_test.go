package network

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/triedb"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// block runs transactions on the state of a chain, as a block would.
type block struct {
	t      *testing.T
	chain  *Chain
	state  *state.StateDB
	header *types.Header
	gas    *core.GasPool
	count  int
}

// context knows a chain's configuration only. That is all that is asked of it.
type context struct {
	core.ChainContext
	config *params.ChainConfig
}

func (c context) Config() *params.ChainConfig { return c.config }

// afterGenesis is a block at the time of Lagoon's activation that stands on the genesis state.
func afterGenesis(t *testing.T, chain *Chain) *block {
	db := rawdb.NewMemoryDatabase()
	tries := triedb.NewDatabase(db, triedb.HashDefaults)
	first := chain.Genesis.MustCommit(db, tries)
	require.Equal(t, chain.Rollup.Genesis.L2.Hash, first.Hash())
	require.NotEqual(t, types.EmptyWithdrawalsHash, *first.Header().WithdrawalsHash)
	world, err := state.New(first.Root(), state.NewDatabase(tries, nil))
	require.NoError(t, err)
	header := types.CopyHeader(first.Header())
	header.Number = big.NewInt(1)
	header.Time = chain.ActivationTime
	header.GasLimit = 100_000_000
	return &block{t: t, chain: chain, state: world, header: header, gas: core.NewGasPool(header.GasLimit)}
}

func (b *block) run(tx *types.Transaction) *types.Receipt {
	config := b.chain.Genesis.Config
	surroundings := core.NewEVMBlockContext(b.header, context{config: config}, &b.header.Coinbase, config, b.state)
	evm := vm.NewEVM(surroundings, b.state, config, vm.Config{})
	b.state.SetTxContext(tx.Hash(), b.count)
	b.count++
	receipt, err := core.ApplyTransaction(evm, b.gas, b.state, b.header, tx)
	require.NoError(b.t, err)
	return receipt
}

func (b *block) runAll(encoded []hexutil.Bytes) {
	for i, data := range encoded {
		tx := new(types.Transaction)
		require.NoError(b.t, tx.UnmarshalBinary(data))
		require.Equal(b.t, types.ReceiptStatusSuccessful, b.run(tx).Status, "transaction %d of %d", i, len(encoded))
	}
}

// l1Info is the deposit that begins each block.
func (b *block) l1Info(network *Network) hexutil.Bytes {
	origin := eth.BlockToInfo(network.L1.ToBlock())
	config := b.chain.Rollup
	data, err := derive.L1InfoDepositBytes(config, network.L1.Config, config.Genesis.SystemConfig, 0, origin, b.header.Time)
	require.NoError(b.t, err)
	return data
}

// Every deposit that activates Lagoon succeeds, and then a message can be executed.
func TestLagoonActivates(t *testing.T) {
	network := testNetwork(t)
	for _, chain := range network.Chains {
		deposits, _, err := derive.LagoonActivationUpgradeTransactions(!chain.Lone)
		require.NoError(t, err)
		b := afterGenesis(t, chain)
		b.runAll(append([]hexutil.Bytes{b.l1Info(network)}, deposits...))
		if chain.Lone {
			continue
		}
		require.Len(t, deposits, 30)
		require.Equal(t, derive.InteropETHLiquidityFundingAmount(), b.state.GetBalance(predeploys.ETHLiquidityAddr).ToBig())
		b.executesMessages()
	}
}

// executesMessages relays a message, once as it should be, and once too late.
func (b *block) executesMessages() {
	message := messages.Message{
		Identifier:  messages.Identifier{Origin: contracts.Emitter, BlockNumber: 5, LogIndex: 2, Timestamp: 7, ChainID: eth.ChainIDFromUInt64(902)},
		PayloadHash: crypto.Keccak256Hash([]byte("anything")),
	}
	inTime := b.run(b.relay(message, 0, b.header.Number.Uint64()))
	require.Equal(b.t, types.ReceiptStatusSuccessful, inTime.Status)
	require.Len(b.t, inTime.Logs, 1)
	read, err := messages.MessageFromLog(inTime.Logs[0])
	require.NoError(b.t, err)
	require.Equal(b.t, message, *read)
	tooLate := b.run(b.relay(message, 1, b.header.Number.Uint64()-1))
	require.Equal(b.t, types.ReceiptStatusFailed, tooLate.Status)
}

func (b *block) relay(message messages.Message, nonce, last uint64) *types.Transaction {
	id := message.Identifier
	call := contracts.Call{To: predeploys.CrossL2InboxAddr, Data: contracts.ValidateMessage(id, message.PayloadHash)}
	tx, err := types.SignNewTx(UserKey(0), types.LatestSigner(b.chain.Genesis.Config), &types.DynamicFeeTx{
		ChainID:   b.chain.Genesis.Config.ChainID,
		Nonce:     nonce,
		GasFeeCap: big.NewInt(2_000_000_000),
		GasTipCap: big.NewInt(1),
		Gas:       200_000,
		To:        &contracts.Relay,
		Data:      contracts.Relayed(last, call),
		AccessList: types.AccessList{{
			Address:     predeploys.CrossL2InboxAddr,
			StorageKeys: messages.EncodeAccessList([]messages.Access{message.Access()}),
		}},
	})
	require.NoError(b.t, err)
	return tx
}

// Funds are where they are needed.
func TestFunds(t *testing.T) {
	network := testNetwork(t)
	for _, chain := range network.Chains {
		for _, alloc := range []types.GenesisAlloc{network.L1.Alloc, chain.Genesis.Alloc} {
			for _, owner := range []common.Address{addressOf(UserKey(0)), addressOf(UserKey(Users - 1)), addressOf(chain.BatcherKey)} {
				require.Positive(t, alloc[owner].Balance.Sign())
			}
		}
	}
}
