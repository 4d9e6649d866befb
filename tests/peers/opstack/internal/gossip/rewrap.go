package gossip

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/golang/snappy"
)

// Form is a way to write a signed block otherwise without its key. It makes one frame of another.
type Form struct {
	Name string

	rewrap func(data []byte) ([]byte, error)
}

// Forms are all that are known. op-node takes each, the last only where it is built without cgo.
func Forms() []Form {
	return []Form{
		{"twin", func(data []byte) ([]byte, error) { return resigned(data, turn) }},
		{"padded", padded},
		{"recovery id + 4", func(data []byte) ([]byte, error) {
			return resigned(data, func(signature []byte) { signature[signatureSize-1] += 4 })
		}},
	}
}

// Rewrap writes a frame in this form.
func (f Form) Rewrap(data []byte) ([]byte, error) {
	rewrapped, err := f.rewrap(data)
	if err != nil {
		return nil, fmt.Errorf("a frame cannot be rewrapped (%s): %w", f.Name, err)
	}
	return rewrapped, nil
}

// IsRead says whether the signature in this form of a frame is one that go-ethereum reads, as it is built here.
func (f Form) IsRead(data []byte) (bool, error) {
	rewrapped, err := f.Rewrap(data)
	if err != nil {
		return false, err
	}
	raw, err := open(rewrapped)
	if err != nil {
		return false, err
	}
	_, err = crypto.SigToPub(make([]byte, 32), raw[:signatureSize])
	return err == nil, nil
}

func open(data []byte) ([]byte, error) {
	raw, err := snappy.Decode(nil, data)
	if err != nil {
		return nil, err
	}
	if len(raw) < signatureSize {
		return nil, fmt.Errorf("it has %d bytes only", len(raw))
	}
	return raw, nil
}

func resigned(data []byte, change func(signature []byte)) ([]byte, error) {
	raw, err := open(data)
	if err != nil {
		return nil, err
	}
	change(raw[:signatureSize])
	return snappy.Encode(nil, raw), nil
}

// turn makes the signature's twin: n - s, and the other parity.
func turn(signature []byte) {
	s := new(big.Int).SetBytes(signature[32:64])
	s.Sub(crypto.S256().Params().N, s).FillBytes(signature[32:64])
	signature[signatureSize-1] ^= 1
}

// padded writes the length in front in more bytes than it needs.
func padded(data []byte) ([]byte, error) {
	const most = binary.MaxVarintLen32 + 1
	length, size := binary.Uvarint(data)
	if size <= 0 || size >= most {
		return nil, fmt.Errorf("its length takes %d bytes", size)
	}
	var front []byte
	for range most - 1 {
		front = append(front, byte(length)|0x80)
		length >>= 7
	}
	return append(append(front, 0), data[size:]...), nil
}
