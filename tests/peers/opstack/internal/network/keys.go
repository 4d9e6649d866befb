package network

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Users is how many funded users there are.
const Users = 20

// UserKey is the key of a user who has funds on L1 and on each L2. The index is below [Users].
func UserKey(i int) *ecdsa.PrivateKey {
	if i < 0 || i >= Users {
		panic(fmt.Sprintf("there is no user %d", i))
	}
	return derivedKey(fmt.Sprintf("user %d", i))
}

func chainKey(chain uint64, role string) *ecdsa.PrivateKey {
	return derivedKey(fmt.Sprintf("chain %d %s", chain, role))
}

// derivedKey makes a key from a name. Such keys are public knowledge and good for a test bed only.
func derivedKey(name string) *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("crosscheck test bed " + name)))
	if err != nil {
		panic(fmt.Sprintf("the key of %s: %v", name, err)) // A hash outside the curve's order: never met.
	}
	return key
}

func addressOf(key *ecdsa.PrivateKey) common.Address {
	return crypto.PubkeyToAddress(key.PublicKey)
}

// fund gives a million ether to each user, and to the owners of more keys.
func fund(alloc types.GenesisAlloc, more ...*ecdsa.PrivateKey) {
	million := new(big.Int).Mul(big.NewInt(1e18), big.NewInt(1e6))
	for i := range Users {
		more = append(more, UserKey(i))
	}
	for _, key := range more {
		alloc[addressOf(key)] = types.Account{Balance: million}
	}
}
