package node

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Identity is a libp2p key and the port at which its node listens: others know both before the node starts.
type Identity struct {
	Port int
	ID   peer.ID
	// secret is the key in hexadecimal, as op-node's flag takes it.
	secret string
}

// NewIdentity makes a key for a node that will listen on this port of loopback.
func NewIdentity(port int) (*Identity, error) {
	key, _, err := crypto.GenerateSecp256k1Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cannot make a network key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("cannot derive a peer id: %w", err)
	}
	raw, err := key.Raw()
	if err != nil {
		return nil, fmt.Errorf("cannot read a network key: %w", err)
	}
	return &Identity{Port: port, ID: id, secret: hex.EncodeToString(raw)}, nil
}

// Multiaddr is where the node can be dialled.
func (i *Identity) Multiaddr() string {
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/p2p/%s", i.Port, i.ID)
}
