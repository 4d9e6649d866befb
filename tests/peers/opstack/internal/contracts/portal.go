package contracts

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
)

var transactionDeposited = crypto.Keccak256Hash([]byte("TransactionDeposited(address,address,uint256,bytes)"))

// PortalCode logs a deposit. Its input is the address that the deposit goes to and then the data of the log as they
// are to stand there. The sender of the L1 transaction is the sender on L2. Nothing has to be paid for what is minted.
func PortalCode() []byte {
	return newProgram().
		push(wordSize).op(vm.CALLDATASIZE, vm.SUB). // size
		op(vm.DUP1).push(wordSize).op(vm.PUSH0).    // size, size, from, to
		op(vm.CALLDATACOPY).                        // size
		op(vm.PUSH0).                               // size, version
		op(vm.PUSH0, vm.CALLDATALOAD).              // size, version, recipient
		op(vm.CALLER).                              // size, version, recipient, sender
		push(transactionDeposited[:]...).           // size, version, recipient, sender, event
		op(vm.DUP5, vm.PUSH0, vm.LOG4, vm.STOP).
		bytes()
}

// Deposit is a transaction on L2 that is asked for on L1.
type Deposit struct {
	To common.Address
	// Mint is what the sender gets on L2 before the call. Nothing if nil.
	Mint *big.Int
	// Value goes from the sender to the recipient. Nothing if nil.
	Value *big.Int
	Gas   uint64
	Data  []byte
}

// Calldata is the input of a [Portal] that makes the deposit.
func (d Deposit) Calldata() []byte {
	packed := append(amount(d.Mint), amount(d.Value)...)
	packed = binary.BigEndian.AppendUint64(packed, d.Gas)
	packed = append(packed, 0) // It creates no contract.
	packed = append(packed, d.Data...)
	return append(padded(d.To), dynamic(packed)...)
}

func amount(value *big.Int) []byte {
	if value == nil {
		return number(0)
	}
	return common.BigToHash(value).Bytes()
}
