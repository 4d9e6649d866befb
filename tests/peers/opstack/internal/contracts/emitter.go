package contracts

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
)

const maxTopics = 4

// EmitterCode makes one log. Its input is the number of topics (a word), the topics (a word each), and the data of the
// log. Each such log is an initiating message.
func EmitterCode() []byte {
	p := newProgram().
		op(vm.PUSH0, vm.CALLDATALOAD).                   // count
		push(1).op(vm.ADD).push(5).op(vm.SHL).           // where the data begins: 32 times (count + 1)
		op(vm.DUP1, vm.CALLDATASIZE, vm.SUB).            // begin, size
		op(vm.DUP1, vm.SWAP2, vm.PUSH0, vm.CALLDATACOPY) // size
	for count := 1; count <= maxTopics; count++ {
		p.op(vm.PUSH0, vm.CALLDATALOAD).push(byte(count)).op(vm.EQ).jump(vm.JUMPI, place(count))
	}
	p.op(vm.PUSH0, vm.LOG0, vm.STOP)
	for count := 1; count <= maxTopics; count++ {
		p.at(place(count)) // size
		// The instruction takes the first topic from the top, so that the last one is loaded first.
		for topic := count; topic >= 1; topic-- {
			p.push(byte(topic * wordSize)).op(vm.CALLDATALOAD)
		}
		p.op(vm.DUP1+vm.OpCode(count), vm.PUSH0, vm.LOG0+vm.OpCode(count), vm.STOP)
	}
	return p.bytes()
}

func place(count int) string {
	return fmt.Sprintf("%d topics", count)
}

// Emit is the input of the [Emitter] that makes a log with these topics, four at most, and these data.
func Emit(topics []common.Hash, data []byte) []byte {
	if len(topics) > maxTopics {
		panic(fmt.Sprintf("a log has no %d topics", len(topics)))
	}
	input := number(uint64(len(topics)))
	for _, topic := range topics {
		input = append(input, topic[:]...)
	}
	return append(input, data...)
}

// Payload is what a message with these topics and data is hashed from.
func Payload(topics []common.Hash, data []byte) []byte {
	var payload []byte
	for _, topic := range topics {
		payload = append(payload, topic[:]...)
	}
	return append(payload, data...)
}
