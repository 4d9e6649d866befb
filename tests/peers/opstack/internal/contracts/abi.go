package contracts

import (
	"github.com/ethereum/go-ethereum/common"
)

const wordSize = 32

// number is an integer as a word of calldata.
func number(value uint64) []byte {
	var word [wordSize]byte
	for i := wordSize - 1; value > 0; i-- {
		word[i] = byte(value)
		value >>= 8
	}
	return word[:]
}

// padded is an address as a word of calldata.
func padded(address common.Address) []byte {
	return common.LeftPadBytes(address[:], wordSize)
}

// dynamic encodes bytes as the only value of a log or a call: where they begin, how many there are, and the bytes
// themselves, filled up to whole words.
func dynamic(value []byte) []byte {
	words := (len(value) + wordSize - 1) / wordSize
	encoded := append(number(wordSize), number(uint64(len(value)))...)
	return append(encoded, common.RightPadBytes(value, words*wordSize)...)
}
