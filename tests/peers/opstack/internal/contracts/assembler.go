package contracts

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core/vm"
)

// program is EVM code in the making. Jumps go to named places, which may come later in the code.
type program struct {
	code   []byte
	places map[string]int
	jumps  map[int]string // Where an address has to be filled in, and of which place.
}

func newProgram() *program {
	return &program{places: map[string]int{}, jumps: map[int]string{}}
}

// op appends instructions that have no operand in the code.
func (p *program) op(ops ...vm.OpCode) *program {
	for _, op := range ops {
		p.code = append(p.code, byte(op))
	}
	return p
}

// push appends the instruction that puts up to 32 bytes on the stack.
func (p *program) push(value ...byte) *program {
	p.op(vm.PUSH1 + vm.OpCode(len(value)-1))
	p.code = append(p.code, value...)
	return p
}

// at names the place that comes next. It may be jumped to.
func (p *program) at(place string) *program {
	p.places[place] = len(p.code)
	return p.op(vm.JUMPDEST)
}

// jump goes to a place: always (JUMP), or when the top of the stack is not zero (JUMPI).
func (p *program) jump(op vm.OpCode, place string) *program {
	p.op(vm.PUSH1)
	p.jumps[len(p.code)] = place
	p.code = append(p.code, 0)
	return p.op(op)
}

// bytes is the finished code.
func (p *program) bytes() []byte {
	for position, place := range p.jumps {
		target, known := p.places[place]
		if !known || target > 0xff {
			panic(fmt.Sprintf("a jump to %q cannot be made", place))
		}
		p.code[position] = byte(target)
	}
	return p.code
}
