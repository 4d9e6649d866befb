package network

import (
	"testing"

	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/rlp"
	"github.com/stretchr/testify/require"
)

// The published op-geth reads a transaction of sequencer-defined metering (0x7D), and cannot execute a block that has one: it takes it for
// a transaction without gas. Nothing in it makes one either. So no stack of published Go programs has such blocks after Lagoon.
func TestOpGethExecutesNoPostExecTransaction(t *testing.T) {
	network := testNetwork(t)
	b := afterGenesis(t, network.Chains[0])
	data, err := rlp.EncodeToBytes([]any{uint8(1), b.header.Number.Uint64(), []any{}})
	require.NoError(t, err)
	tx := new(types.Transaction)
	require.NoError(t, tx.UnmarshalBinary(append([]byte{types.PostExecTxType}, data...)))
	require.Equal(t, data, tx.Data())

	config := b.chain.Genesis.Config
	surroundings := core.NewEVMBlockContext(b.header, context{config: config}, &b.header.Coinbase, config, b.state)
	evm := vm.NewEVM(surroundings, b.state, config, vm.Config{})
	b.state.SetTxContext(tx.Hash(), 0)
	_, err = core.ApplyTransaction(evm, b.gas, b.state, b.header, tx)
	require.ErrorIs(t, err, core.ErrFeeCapTooLow)
}
