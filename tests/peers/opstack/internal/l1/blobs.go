package l1

import (
	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto/kzg4844"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// blob is a blob with the hash by which a transaction names it.
type blob struct {
	hash common.Hash
	data *eth.Blob
}

// bundled are the blobs of a payload, in the order of the block.
func bundled(bundle *engine.BlobsBundle) []blob {
	if bundle == nil {
		return nil
	}
	var blobs []blob
	for i, data := range bundle.Blobs {
		blobs = append(blobs, blob{
			hash: eth.KZGToVersionedHash(kzg4844.Commitment(bundle.Commitments[i])),
			data: (*eth.Blob)(data),
		})
	}
	return blobs
}

// hashes is never nil: the engine API wants an empty list where there are no blobs.
func hashes(blobs []blob) []common.Hash {
	list := make([]common.Hash, 0, len(blobs))
	for _, blob := range blobs {
		list = append(list, blob.hash)
	}
	return list
}

// sidecar holds blobs for the miner, which asks for no proofs.
func sidecar(blobs []blob) *types.BlobTxSidecar {
	sidecar := &types.BlobTxSidecar{Version: types.BlobSidecarVersion1}
	for _, blob := range blobs {
		sidecar.Blobs = append(sidecar.Blobs, kzg4844.Blob(*blob.data))
	}
	return sidecar
}
