package gossip

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/ethereum-optimism/optimism/op-service/eth"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

// Domain is the kind of statement that a signature makes.
type Domain int

const (
	// OwnDomain is that of cross-safe attestations, and of nothing else.
	OwnDomain Domain = iota
	// ZeroDomain is that of unsafe blocks. An attestation signed in it looks like a replayed unsafe block.
	ZeroDomain
)

func (d Domain) String() string {
	if d == ZeroDomain {
		return "zero"
	}
	return string(CrossSafe)
}

func (d Domain) word() [32]byte {
	if d == ZeroDomain {
		return opsigner.SigningDomainBlocksV1
	}
	return crypto.Keccak256Hash([]byte(CrossSafe))
}

// signingHash is what the key signs: domain, chain and the hash of the signed bytes.
func (d Domain) signingHash(chainID uint64, signed []byte) common.Hash {
	message := opsigner.BlockSigningMessage{
		Domain:      d.word(),
		ChainID:     eth.ChainIDFromUInt64(chainID),
		PayloadHash: opsigner.PayloadHash(signed),
	}
	return message.ToSigningHash()
}

// signer recovers whose key made a signature. For the wrong domain it is an address that nobody holds.
func (d Domain) signer(chainID uint64, signature, signed []byte) (common.Address, error) {
	hash := d.signingHash(chainID, signed)
	key, err := crypto.SigToPub(hash[:], signature)
	if err != nil {
		return common.Address{}, fmt.Errorf("no key made the signature %x: %w", signature, err)
	}
	return crypto.PubkeyToAddress(*key), nil
}
