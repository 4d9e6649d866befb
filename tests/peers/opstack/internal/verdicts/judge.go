// Package verdicts judges gossip frames with op-node's own validators, for whoever asks over a pipe. It takes op-node's code as it is:
// the validator, the message id, and the memory of who signs. It never judges by itself.
package verdicts

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"

	"github.com/ethereum-optimism/optimism/op-node/node/runcfg"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/clock"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Versions is how many versions of payloads there are, each with a topic and a validator of its own.
const Versions = 4

// threshold is how old a block may be: what op-node's flag has by default.
const threshold = 60 * time.Second

// Verdict is what op-node says of a frame.
type Verdict struct {
	Result pubsub.ValidationResult
	// ID is the frame's message id.
	ID string
	// Reason is what op-node logged last. It is empty where it logged nothing.
	Reason string
}

// Judge holds the validators of one chain, and what they remember.
type Judge struct {
	config     *rollup.Config
	clock      *fixed
	signers    *runcfg.RuntimeConfig
	slot       *slot
	notes      *notes
	id         pubsub.MsgIdFunction
	validators [Versions]pubsub.ValidatorEx
}

// NewJudge makes a judge that has seen nothing. A nil Jovian time: it is not scheduled.
func NewJudge(chainID uint64, jovian *uint64, signer common.Address) (*Judge, error) {
	config := &rollup.Config{L2ChainID: new(big.Int).SetUint64(chainID), BlockTime: 2, JovianTime: jovian}
	judge := &Judge{
		config: config, clock: &fixed{Clock: clock.SystemClock}, slot: &slot{}, notes: &notes{}, id: p2p.BuildMsgIdFn(config),
	}
	judge.signers = runcfg.NewRuntimeConfig(judge.notes.logger(), judge.slot, config)
	return judge, judge.Name(signer)
}

// Name has L1 name a signer. One that it named before is honoured for a while, as op-node has it.
func (j *Judge) Name(signer common.Address) error {
	j.slot.signer = signer
	if err := j.signers.Load(context.Background(), eth.L1BlockRef{}); err != nil {
		return fmt.Errorf("cannot name the signer %s: %w", signer, err)
	}
	return nil
}

// Judge has op-node judge a frame that arrives on the topic of a version (from 0) at a time.
func (j *Judge) Judge(version int, now uint64, frame []byte) (Verdict, error) {
	topic, validate, err := j.on(version)
	if err != nil {
		return Verdict{}, err
	}
	j.clock.now = time.Unix(int64(now), 0)
	j.notes.last = ""
	message := &pubsub.Message{Message: &pb.Message{Data: frame, Topic: &topic}}
	result := validate(context.Background(), "", message)
	return Verdict{Result: result, ID: j.id(message.Message), Reason: j.notes.last}, nil
}

func (j *Judge) on(version int) (string, pubsub.ValidatorEx, error) {
	if version < 0 || version >= Versions {
		return "", nil, fmt.Errorf("%d is no version", version)
	}
	if j.validators[version] == nil {
		j.validators[version] = p2p.BuildBlocksValidator(
			j.notes.logger(), j.config, j.signers, eth.BlockVersion(version), &p2p.Config{GossipTimestampThreshold: threshold}, j.clock,
		)
	}
	return fmt.Sprintf("/optimism/%s/%d/blocks", j.config.L2ChainID, version), j.validators[version], nil
}

// Hash is the hash that op-node reckons of a block, whatever the block claims. False: it cannot decode the signed bytes.
func Hash(version int, signed []byte) (common.Hash, bool) {
	layout, size, reader := eth.BlockVersion(version), uint32(len(signed)), bytes.NewReader(signed)
	var envelope eth.ExecutionPayloadEnvelope
	if layout.HasParentBeaconBlockRoot() {
		if err := envelope.UnmarshalSSZ(layout, size, reader); err != nil {
			return common.Hash{}, false
		}
	} else {
		envelope.ExecutionPayload = new(eth.ExecutionPayload)
		if err := envelope.ExecutionPayload.UnmarshalSSZ(layout, size, reader); err != nil {
			return common.Hash{}, false
		}
	}
	hash, _ := envelope.CheckBlockHash()
	return hash, true
}

// fixed is a clock that stands still. op-node's validator asks it for the time alone.
type fixed struct {
	clock.Clock
	now time.Time
}

// Now is the time that was set.
func (f *fixed) Now() time.Time { return f.now }

// slot is the L1 that op-node reads the signer from.
type slot struct{ signer common.Address }

// ReadStorageAt gives the signer, whatever is asked for.
func (s *slot) ReadStorageAt(context.Context, common.Address, common.Hash, common.Hash) (common.Hash, error) {
	return common.BytesToHash(s.signer[:]), nil
}
