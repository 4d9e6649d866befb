package node

import (
	"context"
	"crypto/ecdsa"

	"github.com/ethereum-optimism/optimism/op-node/p2p"
	opsigner "github.com/ethereum-optimism/optimism/op-service/signer"
)

// signerSetup makes a signer whenever a node starts. op-supernode closes the signer of a virtual node that it restarts after a
// replacement, and could publish nothing afterwards with the same one.
type signerSetup struct {
	key *ecdsa.PrivateKey
}

// SetupSigner makes a fresh signer.
func (s *signerSetup) SetupSigner(context.Context) (p2p.Signer, error) {
	return opsigner.NewLocalSigner(s.key), nil
}
