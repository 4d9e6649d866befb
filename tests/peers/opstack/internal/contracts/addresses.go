// Package contracts holds the few contracts that a test bed has of its own, and the input that they take. They are a
// handful of EVM instructions each, written by hand, so that no compiler and no deployment is needed. They log what a
// rollup node reads; they check nothing and guard nothing. The package sends no transaction.
package contracts

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/common"
)

var (
	// Emitter is where [EmitterCode] is on each L2.
	Emitter = common.HexToAddress("0xe0e0000000000000000000000000000000000001")
	// Relay is where [RelayCode] is on each L2.
	Relay = common.HexToAddress("0xe0e0000000000000000000000000000000000002")
)

// SystemConfig is where a chain's [SystemConfigCode] is on L1.
func SystemConfig(chain uint64) common.Address { return numbered("0x5c5c", chain) }

// Portal is where a chain's [PortalCode] is on L1.
func Portal(chain uint64) common.Address { return numbered("0xdede", chain) }

// BatchInbox is where a chain's batches are sent to on L1. There is no code.
func BatchInbox(chain uint64) common.Address { return numbered("0xbaba", chain) }

// numbered is an address that can be recognised: it begins with a mark and ends with the chain id.
func numbered(mark string, chain uint64) common.Address {
	var address common.Address
	copy(address[:], common.FromHex(mark))
	binary.BigEndian.PutUint64(address[common.AddressLength-8:], chain)
	return address
}
