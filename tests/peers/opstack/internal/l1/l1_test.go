package l1

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/crypto/kzg4844"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// bed is an L1 under test.
type bed struct {
	*L1
	t   *testing.T
	ctx context.Context
}

func start(t *testing.T) *bed {
	n, err := network.New(network.Options{
		Chains: 1, LagoonDelay: 100, L1BlockTime: 1, BlockTime: 1, FinalityDistance: 8, GenesisTime: uint64(time.Now().Unix()),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	l, err := Start(ctx, n, t.TempDir(), log.NewLogger(log.DiscardHandler()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Stop()) })
	return &bed{L1: l, t: t, ctx: ctx}
}

// reach waits for a height.
func (b *bed) reach(height uint64) {
	for b.Head().Number.Uint64() < height {
		require.True(b.t, sleepUntil(b.ctx, time.Now().Add(50*time.Millisecond)))
		require.LessOrEqual(b.t, b.Head().Time, uint64(time.Now().Unix()), "a block from the future")
	}
}

func (b *bed) header(number int64) *types.Header {
	header, err := b.Client().HeaderByNumber(b.ctx, big.NewInt(number))
	require.NoError(b.t, err)
	return header
}

// replace reorganises, and checks which blocks changed.
func (b *bed) replace(depth int, drop func(*types.Transaction) bool) *Reorg {
	done, err := b.Reorg(b.ctx, depth, drop)
	require.NoError(b.t, err)
	require.Len(b.t, done.Old, depth)
	require.Len(b.t, done.New, depth+1)
	require.Equal(b.t, done.Ancestor.Hash(), b.header(done.Ancestor.Number.Int64()).Hash())
	for i, header := range done.New {
		require.Equal(b.t, header.Hash(), b.header(done.Ancestor.Number.Int64()+int64(i)+1).Hash())
		require.LessOrEqual(b.t, header.Time, uint64(time.Now().Unix()))
		require.Zero(b.t, (header.Time-b.network.L1.Timestamp)%b.network.L1BlockTime)
	}
	for i, header := range done.Old {
		require.NotEqual(b.t, header.Hash(), done.New[i].Hash())
		require.Equal(b.t, header.Time, done.New[i].Time)
	}
	for _, tag := range []rpc.BlockNumber{rpc.SafeBlockNumber, rpc.FinalizedBlockNumber} {
		require.LessOrEqual(b.t, b.header(tag.Int64()).Number.Uint64(), done.Ancestor.Number.Uint64())
	}
	return done
}

func TestReorgs(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.reach(8)
	for _, depth := range []int{1, 3, 7} {
		b.replace(depth, nil)
	}
	require.NoError(t, b.Pause(b.ctx))
	_, err := b.Reorg(b.ctx, int(b.Head().Number.Uint64()-b.driver.final())+1, nil)
	require.ErrorContains(t, err, "final block")
	require.NoError(t, b.Stop())
	_, err = b.Reorg(b.ctx, 1, nil)
	require.ErrorIs(t, err, errStopped)
}

// A transaction is in the new branch too, or nowhere any more, pool included.
func TestKeepsAndDrops(t *testing.T) {
	t.Parallel()
	b := start(t)
	to := common.HexToAddress("0x1234")
	for user, drop := range []func(*types.Transaction) bool{nil, All} {
		receipt, err := b.Send(b.ctx, network.UserKey(user), to, nil, big.NewInt(5))
		require.NoError(b.t, err)
		require.NoError(b.t, b.Pause(b.ctx))
		depth := b.Head().Number.Uint64() - receipt.BlockNumber.Uint64() + 1
		done := b.replace(int(depth), drop)
		after, err := b.Client().TransactionReceipt(b.ctx, receipt.TxHash)
		if drop == nil {
			require.NoError(b.t, err)
			require.Equal(b.t, receipt.BlockNumber, after.BlockNumber)
			require.NotEqual(b.t, receipt.BlockHash, after.BlockHash)
		} else {
			require.Error(b.t, err)
			require.Len(b.t, done.Dropped, 1)
			_, _, err = b.Client().TransactionByHash(b.ctx, receipt.TxHash)
			require.Error(b.t, err, "the pool still has the transaction")
		}
		require.NoError(b.t, b.Resume(b.ctx))
	}
	// The sender whose transaction was dropped can go on.
	_, err := b.Send(b.ctx, network.UserKey(1), to, nil, nil)
	require.NoError(b.t, err)
}

// A blob can be had by the slot of its block, before a reorganisation and after.
func TestServesBlobs(t *testing.T) {
	t.Parallel()
	b := start(t)
	tx, data := b.blobTransaction()
	require.NoError(b.t, b.Client().SendTransaction(b.ctx, tx))
	var block *types.Receipt
	for block == nil {
		require.True(b.t, sleepUntil(b.ctx, time.Now().Add(50*time.Millisecond)))
		block, _ = b.Client().TransactionReceipt(b.ctx, tx.Hash())
	}
	require.NoError(b.t, b.Pause(b.ctx))
	depth := int(b.Head().Number.Uint64() - block.BlockNumber.Uint64() + 1)
	time := b.header(block.BlockNumber.Int64()).Time
	require.Equal(b.t, []*eth.Blob{data}, b.blobs(time, tx.BlobHashes()[0]))
	b.replace(depth, nil)
	require.Equal(b.t, []*eth.Blob{data}, b.blobs(time, tx.BlobHashes()[0]))
	require.Len(b.t, b.blobs(time), 1)
	require.Empty(b.t, b.blobs(time, common.Hash{1}))

	b.replace(depth+1, All)
	require.Empty(b.t, b.blobs(time))
	_, _, err := b.Client().TransactionByHash(b.ctx, tx.Hash())
	require.Error(b.t, err, "the pool still has the transaction")
	require.NoError(b.t, b.Resume(b.ctx))
}

func (b *bed) blobTransaction() (*types.Transaction, *eth.Blob) {
	var data kzg4844.Blob
	copy(data[1:], "anything")
	commitment, err := kzg4844.BlobToCommitment(&data)
	require.NoError(b.t, err)
	proofs, err := kzg4844.ComputeCellProofs(&data)
	require.NoError(b.t, err)
	sidecar := types.NewBlobTxSidecar(types.BlobSidecarVersion1, []kzg4844.Blob{data}, []kzg4844.Commitment{commitment}, proofs)
	tx, err := types.SignNewTx(network.UserKey(2), types.LatestSigner(b.network.L1.Config), &types.BlobTx{
		ChainID:    uint256.MustFromBig(b.network.L1.Config.ChainID),
		GasTipCap:  uint256.NewInt(1e9),
		GasFeeCap:  uint256.NewInt(10e9),
		BlobFeeCap: uint256.NewInt(10e9),
		Gas:        21_000,
		BlobHashes: sidecar.BlobHashes(),
		Sidecar:    sidecar,
	})
	require.NoError(b.t, err)
	return tx, (*eth.Blob)(&data)
}

func (b *bed) blobs(time uint64, hashes ...common.Hash) []*eth.Blob {
	url := fmt.Sprintf("%s/eth/v1/beacon/blobs/%d?", b.Beacon(), b.beacon.slot(time))
	for _, hash := range hashes {
		url += "&versioned_hashes=" + hash.Hex()
	}
	response, err := http.Get(url)
	require.NoError(b.t, err)
	defer response.Body.Close()
	require.Equal(b.t, http.StatusOK, response.StatusCode)
	var answer eth.APIBeaconBlobsResponse
	require.NoError(b.t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Data
}

// No block comes in a pause.
func TestPauses(t *testing.T) {
	t.Parallel()
	b := start(t)
	require.NoError(b.t, b.Pause(b.ctx))
	head := b.Head()
	require.True(b.t, sleepUntil(b.ctx, at(b.driver.slotAfter(time.Now())).Add(lead)))
	require.Equal(b.t, head.Hash(), b.Head().Hash())
	require.NoError(b.t, b.Resume(b.ctx))
}

// The contracts log, and the signer's slot changes.
func TestConfigures(t *testing.T) {
	t.Parallel()
	b := start(t)
	chain := b.network.Chains[0]
	signer := crypto.PubkeyToAddress(network.UserKey(3).PublicKey)
	receipt, err := b.RotateSigner(b.ctx, chain, signer)
	require.NoError(b.t, err)
	require.Len(b.t, receipt.Logs, 1)
	slot, err := b.Client().StorageAt(b.ctx, contracts.SystemConfig(chain.ID), contracts.SignerSlot, nil)
	require.NoError(b.t, err)
	require.True(b.t, bytes.HasSuffix(slot, signer[:]))
	receipt, err = b.Deposit(b.ctx, chain, network.UserKey(3), contracts.Deposit{To: signer, Mint: big.NewInt(1), Gas: 100_000})
	require.NoError(b.t, err)
	require.Len(b.t, receipt.Logs, 1)
}

func TestAHaltedL1AnswersNobodyAndGoesOnAfterwards(t *testing.T) {
	bed := start(t)
	bed.reach(1)
	client, err := rpc.DialContext(bed.ctx, bed.RPC())
	require.NoError(t, err)
	defer client.Close()
	var number string
	require.NoError(t, client.CallContext(bed.ctx, &number, "eth_blockNumber"))
	require.NoError(t, bed.Halt(bed.ctx))
	halted := bed.Head().Number.Uint64()
	require.Error(t, client.CallContext(bed.ctx, &number, "eth_blockNumber"))
	_, err = http.Get(bed.Beacon() + "/eth/v1/beacon/genesis")
	require.Error(t, err)
	require.NoError(t, bed.Continue(bed.ctx))
	require.NoError(t, client.CallContext(bed.ctx, &number, "eth_blockNumber"))
	bed.reach(halted + 1)
}
