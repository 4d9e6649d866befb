package contracts

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
)

// The kinds of a configuration update.
const (
	updateBatcher  = 0
	updateGasLimit = 2
	updateSigner   = 3
)

var (
	configUpdate = crypto.Keccak256Hash([]byte("ConfigUpdate(uint256,uint8,bytes)"))
	// SignerSlot is the storage slot of the address whose signature gossip needs. Nodes read it from L1's state.
	SignerSlot = crypto.Keccak256Hash([]byte("systemconfig.unsafeblocksigner"))
)

// SystemConfigCode logs an update of the configuration. Its input is the kind of the update and then the data of the
// log as they are to stand there. It keeps the signer's address in its slot. Anyone may call it.
func SystemConfigCode() []byte {
	return newProgram().
		// The data of the log are all input after the first word. Each remark names the stack, its top last.
		push(wordSize).op(vm.CALLDATASIZE, vm.SUB).        // size
		op(vm.DUP1).push(wordSize).op(vm.PUSH0).           // size, size, from, to
		op(vm.CALLDATACOPY).                               // size
		op(vm.PUSH0, vm.CALLDATALOAD).                     // size, kind
		op(vm.PUSH0).                                      // size, kind, version
		push(configUpdate[:]...).                          // size, kind, version, event
		op(vm.DUP4, vm.PUSH0, vm.LOG3).                    // size
		op(vm.PUSH0, vm.CALLDATALOAD).                     // size, kind
		push(updateSigner).op(vm.EQ).                      // size, whether it is the signer
		jump(vm.JUMPI, "signer").op(vm.STOP).at("signer"). // size
		// The signer is in the fourth word of the input: after the kind, the begin, and the length.
		push(3*wordSize).op(vm.CALLDATALOAD). // size, signer
		push(SignerSlot[:]...).op(vm.SSTORE, vm.STOP).
		bytes()
}

// SetGasLimit is the input of a [SystemConfig] that changes the gas limit of L2 blocks.
func SetGasLimit(limit uint64) []byte {
	return update(updateGasLimit, number(limit))
}

// SetBatcher is the input of a [SystemConfig] that changes whose batches count.
func SetBatcher(batcher common.Address) []byte {
	return update(updateBatcher, padded(batcher))
}

// SetSigner is the input of a [SystemConfig] that changes whose signature gossip needs.
func SetSigner(signer common.Address) []byte {
	return update(updateSigner, padded(signer))
}

func update(kind uint64, value []byte) []byte {
	return append(number(kind), dynamic(value)...)
}
