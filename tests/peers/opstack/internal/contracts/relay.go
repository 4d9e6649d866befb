package contracts

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
)

// RelayCode makes calls, one after the other, and fails when one of them fails. Its input is the number of the last
// block that it works in (a word), and then for each call: the address (a word), the length of the input (a word),
// the input. After the last block it fails, so that an execution client does not take a transaction that was replaced
// together with its block into a later block.
func RelayCode() []byte {
	return newProgram().
		op(vm.PUSH0, vm.CALLDATALOAD).                          // last
		op(vm.NUMBER, vm.GT).jump(vm.JUMPI, "too late").        // nothing
		push(wordSize).                                         // position
		at("next").                                             // position
		op(vm.DUP1, vm.CALLDATASIZE, vm.GT, vm.ISZERO).         // position, whether the input has ended
		jump(vm.JUMPI, "end").                                  // position
		op(vm.DUP1).push(wordSize).op(vm.ADD, vm.CALLDATALOAD). // position, length
		op(vm.DUP1, vm.DUP3).push(2*wordSize).op(vm.ADD).       // position, length, length, from
		op(vm.PUSH0, vm.CALLDATACOPY).                          // position, length
		op(vm.PUSH0, vm.PUSH0).                                 // no room for an answer
		op(vm.DUP3, vm.PUSH0).                                  // the input: length, and where it is
		op(vm.PUSH0).                                           // no value
		op(vm.DUP7, vm.CALLDATALOAD).                           // the address
		op(vm.GAS, vm.CALL).                                    // position, length, success
		op(vm.ISZERO).jump(vm.JUMPI, "failed").                 // position, length
		op(vm.ADD).push(2*wordSize).op(vm.ADD).                 // position of the next call
		jump(vm.JUMP, "next").
		at("end").op(vm.STOP).
		// The reason of the call that failed is the reason of this one.
		at("failed").op(vm.RETURNDATASIZE, vm.PUSH0, vm.PUSH0, vm.RETURNDATACOPY).
		op(vm.RETURNDATASIZE, vm.PUSH0, vm.REVERT).
		at("too late").op(vm.PUSH0, vm.PUSH0, vm.REVERT).
		bytes()
}

// Call is one call of the [Relay].
type Call struct {
	To   common.Address
	Data []byte
}

// Relayed is the input of the [Relay] that makes these calls, up to and in the last block.
func Relayed(lastBlock uint64, calls ...Call) []byte {
	input := number(lastBlock)
	for _, call := range calls {
		input = append(input, padded(call.To)...)
		input = append(input, number(uint64(len(call.Data)))...)
		input = append(input, call.Data...)
	}
	return input
}
