package gossip

import (
	"bytes"
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/golang/snappy"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// signatureSize is what a signature takes in front of the payload.
const signatureSize = 65

// Manner says how an envelope is signed. The zero value signs it as it is, with the publisher's key, in the domain of
// cross-safe attestations.
type Manner struct {
	// Key signs, where it is not nil, instead of the publisher's.
	Key    *ecdsa.PrivateKey
	Domain Domain
	// Corrupt, where it is not nil, changes the signature (65 bytes) or the signed bytes after signing.
	Corrupt func(signature, signed []byte)
}

// FlipPayloadBit changes one bit of what was signed: the signature is no longer that of the signer.
func FlipPayloadBit(_, signed []byte) { signed[len(signed)-1] ^= 1 }

// FlipSignatureBit changes one bit of the signature.
func FlipSignatureBit(signature, _ []byte) { signature[40] ^= 1 }

// NoRecoveryID writes a recovery id that no signature has: 4 to 7 are read as 0 to 3, by op-node too where it is built without cgo.
func NoRecoveryID(signature, _ []byte) { signature[signatureSize-1] = 8 }

// Seal signs an envelope and packs it for the network.
func Seal(chainID uint64, envelope *eth.ExecutionPayloadEnvelope, manner Manner) ([]byte, error) {
	if manner.Key == nil {
		return nil, fmt.Errorf("there is no key to sign for chain %d", chainID)
	}
	buffer := bytes.NewBuffer(make([]byte, signatureSize))
	if _, err := envelope.MarshalSSZ(buffer); err != nil {
		return nil, fmt.Errorf("an envelope of chain %d has no wire form: %w", chainID, err)
	}
	raw := buffer.Bytes()
	hash := manner.Domain.signingHash(chainID, raw[signatureSize:])
	signature, err := crypto.Sign(hash[:], manner.Key)
	if err != nil {
		return nil, fmt.Errorf("cannot sign an envelope of chain %d: %w", chainID, err)
	}
	copy(raw, signature)
	if manner.Corrupt != nil {
		manner.Corrupt(raw[:signatureSize], raw[signatureSize:])
	}
	return snappy.Encode(nil, raw), nil
}

// Opened is what a frame in the layout of BlocksV4 holds. It is read, not judged: the signer is whoever it recovers to.
type Opened struct {
	Envelope *eth.ExecutionPayloadEnvelope
	// Own and Zero are the signers that the signature recovers to in each domain. At most one is a real one.
	Own, Zero common.Address
}

// Open reads the frame.
func (f Frame) Open() (*Opened, error) {
	raw, err := snappy.Decode(nil, f.Data)
	if err != nil {
		return nil, fmt.Errorf("a frame on %s of chain %d is no snappy block: %w", f.Topic, f.ChainID, err)
	}
	if len(raw) <= signatureSize {
		return nil, fmt.Errorf("a frame on %s of chain %d has %d bytes only", f.Topic, f.ChainID, len(raw))
	}
	signature, signed := raw[:signatureSize], raw[signatureSize:]
	opened := &Opened{Envelope: new(eth.ExecutionPayloadEnvelope)}
	if err := opened.Envelope.UnmarshalSSZ(eth.BlockV4, uint32(len(signed)), bytes.NewReader(signed)); err != nil {
		return nil, fmt.Errorf("a frame on %s of chain %d holds no payload: %w", f.Topic, f.ChainID, err)
	}
	if opened.Own, err = OwnDomain.signer(f.ChainID, signature, signed); err != nil {
		return nil, err
	}
	if opened.Zero, err = ZeroDomain.signer(f.ChainID, signature, signed); err != nil {
		return nil, err
	}
	return opened, nil
}
