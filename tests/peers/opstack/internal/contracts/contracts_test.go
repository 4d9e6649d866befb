package contracts

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-node/rollup/derive"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

var sender = common.HexToAddress("0xabcdef")

const currentBlock = 7

// machine is an EVM with all contracts of this package, on an empty state.
func machine(t *testing.T) (*vm.EVM, *state.StateDB) {
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	require.NoError(t, err)
	for address, code := range map[common.Address][]byte{
		SystemConfig(901): SystemConfigCode(),
		Portal(901):       PortalCode(),
		Emitter:           EmitterCode(),
		Relay:             RelayCode(),
	} {
		db.SetCode(address, code, 0)
	}
	block := vm.BlockContext{
		CanTransfer: func(vm.StateDB, common.Address, *uint256.Int) bool { return true },
		Transfer:    func(vm.StateDB, common.Address, common.Address, *uint256.Int, *params.Rules) {},
		BlockNumber: big.NewInt(currentBlock),
		Difficulty:  new(big.Int),
		Random:      new(common.Hash),
	}
	return vm.NewEVM(block, db, params.MergedTestChainConfig, vm.Config{}), db
}

// call runs a contract and returns what it logged.
func call(t *testing.T, to common.Address, input []byte) ([]*types.Log, *state.StateDB, []byte, error) {
	evm, db := machine(t)
	answer, _, err := evm.Call(sender, to, input, 1_000_000, new(uint256.Int))
	return db.Logs(), db, answer, err
}

func TestConfigUpdates(t *testing.T) {
	address := common.HexToAddress("0x1234")
	for _, test := range []struct {
		input []byte
		check func(eth.SystemConfig)
		slot  common.Hash
	}{
		{SetGasLimit(12_345_678), func(c eth.SystemConfig) { require.EqualValues(t, 12_345_678, c.GasLimit) }, common.Hash{}},
		{SetBatcher(address), func(c eth.SystemConfig) { require.Equal(t, address, c.BatcherAddr) }, common.Hash{}},
		{SetSigner(address), func(c eth.SystemConfig) { require.Equal(t, eth.SystemConfig{}, c) }, common.BytesToHash(address[:])},
	} {
		logs, db, _, err := call(t, SystemConfig(901), test.input)
		require.NoError(t, err)
		require.Len(t, logs, 1)
		var config eth.SystemConfig
		require.NoError(t, derive.ProcessSystemConfigUpdateLogEvent(&config, logs[0], &rollup.Config{}, 0))
		test.check(config)
		require.Equal(t, test.slot, db.GetState(SystemConfig(901), SignerSlot))
	}
}

func TestDeposit(t *testing.T) {
	deposit := Deposit{To: Emitter, Mint: big.NewInt(5), Value: big.NewInt(3), Gas: 99, Data: []byte("some data")}
	logs, _, _, err := call(t, Portal(901), deposit.Calldata())
	require.NoError(t, err)
	require.Len(t, logs, 1)
	read, err := derive.UnmarshalDepositLogEvent(logs[0])
	require.NoError(t, err)
	require.Equal(t, sender, read.From)
	require.Equal(t, deposit.To, *read.To)
	require.Equal(t, deposit.Mint, read.Mint)
	require.Equal(t, deposit.Value, read.Value)
	require.Equal(t, deposit.Gas, read.Gas)
	require.Equal(t, deposit.Data, read.Data)
}

func TestEmitter(t *testing.T) {
	topics := []common.Hash{{1}, {2}, {3}, {4}}
	for count := range maxTopics + 1 {
		for _, data := range [][]byte{nil, []byte("hello"), make([]byte, 100)} {
			logs, _, _, err := call(t, Emitter, Emit(topics[:count], data))
			require.NoError(t, err)
			require.Len(t, logs, 1)
			require.Len(t, logs[0].Topics, count)
			require.Equal(t, Payload(topics[:count], data), Payload(logs[0].Topics, logs[0].Data))
		}
	}
	require.Panics(t, func() { Emit(make([]common.Hash, 5), nil) })
}

func TestRelay(t *testing.T) {
	first := Call{To: Emitter, Data: Emit([]common.Hash{{1}}, []byte("first"))}
	second := Call{To: Emitter, Data: Emit(nil, []byte("second"))}
	for _, last := range []uint64{currentBlock, currentBlock + 1} {
		logs, _, _, err := call(t, Relay, Relayed(last, first, second))
		require.NoError(t, err)
		require.Len(t, logs, 2)
		require.Equal(t, "first", string(logs[0].Data))
		require.Equal(t, "second", string(logs[1].Data))
	}
	_, _, _, err := call(t, Relay, Relayed(currentBlock-1, first))
	require.ErrorIs(t, err, vm.ErrExecutionReverted)
}

// A call that fails takes the ones before it along, and its reason is what the relay answers.
func TestRelayOfFailure(t *testing.T) {
	failing := Call{To: Relay, Data: Relayed(0)}
	logs, _, answer, err := call(t, Relay, Relayed(currentBlock, Call{To: Emitter, Data: Emit(nil, nil)}, failing))
	require.ErrorIs(t, err, vm.ErrExecutionReverted)
	require.Empty(t, answer)
	require.Empty(t, logs)
}

func TestAssembler(t *testing.T) {
	require.Equal(t, []byte{0x60, 0x03, 0x56, 0x5b}, newProgram().jump(vm.JUMP, "on").at("on").bytes())
	require.Panics(t, func() { newProgram().jump(vm.JUMP, "nowhere").bytes() })
}
