package l1

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/beacon/engine"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/miner"
)

// engineAPI is geth's engine API with the methods that Osaka has. It checks every status.
type engineAPI struct {
	api   *catalyst.ConsensusAPI
	miner *miner.Miner
}

// choose makes a block the head. With attributes, it begins to build the block after.
func (e engineAPI) choose(ctx context.Context, state engine.ForkchoiceStateV1, attributes *engine.PayloadAttributes) (*engine.PayloadID, error) {
	answer, err := e.api.ForkchoiceUpdatedV3(ctx, state, attributes)
	if err != nil {
		return nil, fmt.Errorf("geth does not take %s as head: %w", state.HeadBlockHash, err)
	}
	if err := valid(answer.PayloadStatus); err != nil {
		return nil, fmt.Errorf("geth does not take %s as head: %w", state.HeadBlockHash, err)
	}
	if attributes != nil && answer.PayloadID == nil {
		return nil, fmt.Errorf("geth builds no block on %s", state.HeadBlockHash)
	}
	return answer.PayloadID, nil
}

// built is the block that geth has built.
func (e engineAPI) built(id engine.PayloadID) (*engine.ExecutionPayloadEnvelope, error) {
	envelope, err := e.api.GetPayloadV5(id)
	if err != nil {
		return nil, fmt.Errorf("geth gives no payload: %w", err)
	}
	return envelope, nil
}

// build makes a block of some transactions on any parent. The engine API cannot: it builds on the head only. Blob
// transactions have their blobs with them.
func (e engineAPI) build(ctx context.Context, parent common.Hash, a *engine.PayloadAttributes, txs types.Transactions) (*engine.ExecutionPayloadEnvelope, error) {
	payload, err := e.miner.BuildPayload(ctx, &miner.BuildPayloadArgs{
		Parent:       parent,
		Timestamp:    a.Timestamp,
		FeeRecipient: a.SuggestedFeeRecipient,
		Random:       a.Random,
		Withdrawals:  a.Withdrawals,
		BeaconRoot:   a.BeaconRoot,
		Version:      engine.PayloadV3,
		NoTxPool:     true,
		Transactions: txs,
	}, false)
	if err != nil {
		return nil, fmt.Errorf("cannot build on %s: %w", parent, err)
	}
	envelope := payload.Resolve()
	if envelope == nil {
		return nil, fmt.Errorf("geth built nothing on %s", parent)
	}
	return envelope, nil
}

// insert has geth execute and keep a block. The head stays.
func (e engineAPI) insert(ctx context.Context, envelope *engine.ExecutionPayloadEnvelope, blobs []common.Hash) error {
	payload := envelope.ExecutionPayload
	requests := make([]hexutil.Bytes, 0, len(envelope.Requests))
	for _, request := range envelope.Requests {
		requests = append(requests, request)
	}
	status, err := e.api.NewPayloadV4(ctx, *payload, blobs, envelope.ParentBeaconBlockRoot, requests)
	if err == nil {
		err = valid(status)
	}
	if err != nil {
		return fmt.Errorf("geth does not take block %d: %w", payload.Number, err)
	}
	return nil
}

func valid(status engine.PayloadStatusV1) error {
	if status.Status == engine.VALID {
		return nil
	}
	if status.ValidationError != nil {
		return fmt.Errorf("%s: %s", status.Status, *status.ValidationError)
	}
	return fmt.Errorf("%s", status.Status)
}

// attributes of the block after a parent. Blocks of another branch differ in their fee recipient and their randomness.
func attributes(parent common.Hash, time, branch uint64) *engine.PayloadAttributes {
	number := hexutil.EncodeUint64(branch)
	root := crypto.Keccak256Hash([]byte("beacon root"), parent[:])
	return &engine.PayloadAttributes{
		Timestamp:             time,
		Random:                crypto.Keccak256Hash([]byte("randomness"), parent[:], []byte(number)),
		SuggestedFeeRecipient: common.BytesToAddress(crypto.Keccak256([]byte("fees of branch"), []byte(number))),
		Withdrawals:           []*types.Withdrawal{},
		BeaconRoot:            &root,
	}
}
