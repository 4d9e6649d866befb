package message

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
)

// The log that the contracts make is the one that was predicted.
func TestPrediction(t *testing.T) {
	chain := &Chain{Chain: testChains(t)[0]}
	const block = 7
	log := predict(chain, block, 1)
	world, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	require.NoError(t, err)
	world.SetCode(contracts.Emitter, contracts.EmitterCode(), 0)
	world.SetCode(contracts.Relay, contracts.RelayCode(), 0)
	surroundings := vm.BlockContext{
		CanTransfer: func(vm.StateDB, common.Address, *uint256.Int) bool { return true },
		Transfer:    func(vm.StateDB, common.Address, common.Address, *uint256.Int, *params.Rules) {},
		BlockNumber: big.NewInt(block), Difficulty: new(big.Int), Random: new(common.Hash), Time: chain.timeOf(block),
	}
	evm := vm.NewEVM(surroundings, world, chain.Genesis.Config, vm.Config{})
	before := contracts.Call{To: contracts.Emitter, Data: contracts.Emit(nil, []byte("before"))}
	input := contracts.Relayed(block, before, log.call())
	_, _, err = evm.Call(origin, contracts.Relay, input, gas, new(uint256.Int))
	require.NoError(t, err)
	logs := world.GetLogs(common.Hash{}, block, common.Hash{}, chain.timeOf(block))
	require.Len(t, logs, 2)
	require.Equal(t, log.message, cite(logs[1], chain.timeOf(block), chain.ID))
	require.NotEqual(t, log.message.PayloadHash, predict(chain, block, 1).message.PayloadHash, "no two logs are alike")
}

func TestHeights(t *testing.T) {
	chain := &Chain{Chain: testChains(t)[0]}
	require.EqualValues(t, 2, chain.heightAt(chain.ActivationTime))
	require.EqualValues(t, 3, chain.heightAt(chain.ActivationTime+1))
	for height := range uint64(5) {
		require.Equal(t, height, chain.heightAt(chain.timeOf(height)))
	}
}

// Both messages are in blocks of one height, and each cites the log behind the other.
func TestCycleIsPlaced(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	one, two := twoChains(t, testChains(t))
	sender := NewSender(one, two)
	executed, err := sender.SendCycle(ctx, one.ID, two.ID)
	for errors.Is(err, ErrMisplaced) { // The machine is slow.
		executed, err = sender.SendCycle(ctx, one.ID, two.ID)
	}
	require.NoError(t, err)
	require.Equal(t, executed[0].Number, executed[1].Number)
	for i, e := range executed {
		require.Equal(t, Cycle, e.Kind)
		require.Equal(t, e.Number, e.Message.Identifier.BlockNumber)
		require.EqualValues(t, 1, e.Message.Identifier.LogIndex)
		require.Equal(t, contracts.Emitter, e.Message.Identifier.Origin)
		require.NotEqual(t, executed[1-i].Message, e.Message)
	}
}

func TestPlacement(t *testing.T) {
	at := func(number, index uint64) *Executed { return &Executed{Number: number, LogIndex: index} }
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		executed [2]*Executed
		failures [2]error
		want     error
	}{
		"both":              {executed: [2]*Executed{at(5, 0), at(5, 0)}},
		"none":              {failures: [2]error{errTooLate, errTooLate}, want: errTooLate},
		"only the first":    {executed: [2]*Executed{at(5, 0), nil}, failures: [2]error{nil, errTooLate}, want: ErrMisplaced},
		"only the second":   {executed: [2]*Executed{nil, at(5, 0)}, failures: [2]error{errTooLate, nil}, want: ErrMisplaced},
		"behind other logs": {executed: [2]*Executed{at(5, 0), at(5, 1)}, want: ErrMisplaced},
		"another block":     {executed: [2]*Executed{at(4, 0), at(5, 0)}, want: ErrMisplaced},
		"something else":    {executed: [2]*Executed{at(5, 0), nil}, failures: [2]error{nil, broken}, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, placement(5, test.executed, test.failures), test.want)
		})
	}
}
