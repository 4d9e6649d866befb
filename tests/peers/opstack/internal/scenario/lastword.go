package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/node"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// lastWord checks everything that Crosscheck has said since it was started first against op-supernode's final word. It waits until all
// that was said is final, or gone.
func (s *storm) lastWord(ctx context.Context, rulings []node.Ruling) error {
	final := map[uint64]uint64{}
	for _, chain := range s.r.Stack.Members() {
		current, err := chain.Status(ctx)
		if err != nil {
			return err
		}
		if err := chain.Await(ctx, stack.Finalized, current.UnsafeL2.Number); err != nil {
			return err
		}
		final[chain.ID] = current.UnsafeL2.Number
	}
	if err := s.invalidAlike(ctx, rulings, func(*sidecar.Event) bool { return true }); err != nil {
		return err
	}
	return s.nothingOpen(ctx, final)
}

// wordSoFar checks what Crosscheck has said against what op-supernode judged before it stopped for good. Only blocks that were final by
// then are settled.
func (s *storm) wordSoFar(ctx context.Context, rulings []node.Ruling) error {
	final := map[uint64]uint64{}
	for _, chain := range s.r.Stack.Members() {
		number, err := finalOf(ctx, chain)
		if err != nil {
			return err
		}
		final[chain.ID] = number
	}
	settled := 0
	for _, ruling := range rulings {
		if ruling.Number <= final[ruling.Chain] {
			settled++
		}
	}
	var none error
	if settled == 0 {
		none = fmt.Errorf("none of the %d blocks that op-supernode invalidated is below a final one", len(rulings))
	}
	s.r.Check("a block that op-supernode invalidated is settled", none)
	s.r.Figure("invalidated blocks that are settled", "%d of %d", settled, len(rulings))
	if err := s.invalidAlike(ctx, rulings, func(event *sidecar.Event) bool {
		chain, named := event.Number("chain_id")
		number, numbered := event.Number("number")
		// A line that names no block is reported as such.
		return !named || !numbered || number <= final[chain]
	}); err != nil {
		return err
	}
	return s.nothingOpen(ctx, final)
}

// finalOf is the highest block of a chain that its execution client calls final. The client may have been restarted just now.
func finalOf(ctx context.Context, chain *stack.Chain) (uint64, error) {
	var header *types.Header
	err := within(ctx, recovery, func(ctx context.Context) error {
		var err error
		header, err = sidecar.WaitFor(ctx, "a final block", func(ctx context.Context) (*types.Header, error) {
			return chain.Client.HeaderByNumber(ctx, big.NewInt(rpc.FinalizedBlockNumber.Int64()))
		}, func(header *types.Header) bool { return header != nil })
		return err
	})
	if err != nil {
		return 0, err
	}
	return header.Number.Uint64(), nil
}

// invalidAlike: what we called invalid is not part of the final chain, and we called invalid whatever op-supernode did. Events of
// blocks that are not settled accuse nobody.
func (s *storm) invalidAlike(ctx context.Context, rulings []node.Ruling, settled func(*sidecar.Event) bool) error {
	theirs := map[common.Hash]node.Ruling{}
	for _, ruling := range rulings {
		theirs[ruling.Hash] = ruling
	}
	ours := map[common.Hash]bool{}
	var alarms, lost error
	taken, flipped := 0, 0
	for _, event := range s.crosscheck.Log.After(0, isInvalid) {
		hash := event.Hash("hash")
		if ours[hash] {
			continue
		}
		ours[hash] = true
		if _, ruled := theirs[hash]; ruled || !settled(&event) {
			continue
		}
		stands, err := s.stands(ctx, &event)
		if err != nil {
			return err
		}
		switch {
		case !stands:
			taken++
		case s.takenBack(&event):
			flipped++
		default:
			alarms = errors.Join(alarms, errors.New(event.String()))
		}
	}
	if dropped := s.crosscheck.Log.Dropped(); dropped > 0 {
		lost = fmt.Errorf("%d lines made room", dropped)
	}
	var misses error
	for hash, ruling := range theirs {
		if !ours[hash] {
			misses = errors.Join(misses, fmt.Errorf("%d/%d (%s), judged at %s", ruling.Chain, ruling.Number, hash, ruling.At.UTC()))
		}
	}
	s.r.Check("every line of the log is known", lost)
	s.r.Check("no false alarm: nothing that we call invalid is final", alarms)
	s.r.Check("no miss: we call each block invalid that op-supernode invalidated", misses)
	s.r.Figure("blocks invalidated by op-supernode", "%d", len(theirs))
	s.r.Figure("invalid blocks that were gone before op-supernode judged them", "%d", taken)
	s.r.Figure("messages that were invalid while what they cite was gone, and are valid", "%d", flipped)
	return nil
}

func isInvalid(event *sidecar.Event) bool {
	return event.Message == sidecar.LineInvalid || event.Message == sidecar.LineFlipInvalid
}

// takenBack says whether a later line calls the message of an event valid: what it cites was gone for a while.
func (s *storm) takenBack(event *sidecar.Event) bool {
	_, found := s.crosscheck.Log.First(event.ID, func(other *sidecar.Event) bool {
		same := other.Hash("hash") == event.Hash("hash") && other.Text("log_index") == event.Text("log_index")
		return same && other.Message == sidecar.LineFlipValid
	})
	return found
}

// stands says whether the block of an event is part of its chain.
func (s *storm) stands(ctx context.Context, event *sidecar.Event) (bool, error) {
	id, named := event.Number("chain_id")
	number, numbered := event.Number("number")
	if !named || !numbered {
		return false, fmt.Errorf("a line names no block: %s", event)
	}
	header, err := s.r.Stack.Chain(id).Client.HeaderByNumber(ctx, new(big.Int).SetUint64(number))
	if err != nil {
		return false, err
	}
	return header.Hash() == event.Hash("hash"), nil
}

// nothingOpen: no attested block is accused, and neither a block nor a message up to these final heights is without an answer.
func (s *storm) nothingOpen(ctx context.Context, finals map[uint64]uint64) error {
	client := s.crosscheck.Client()
	for i, chain := range s.r.Stack.Members() {
		final := finals[chain.ID]
		var accused error
		open := within(ctx, recovery, func(ctx context.Context) error {
			_, err := sidecar.WaitFor(ctx, "every final block's verdict", func(ctx context.Context) ([]sidecar.Attestation, error) {
				all, err := client.Attestations(ctx, chain.ID)
				accused = accusations(all)
				return openUpTo(all, final), err
			}, func(open []sidecar.Attestation) bool { return len(open) == 0 })
			return err
		})
		s.r.Check(fmt.Sprintf("no attested block is accused, on chain %d of the two", i+1), accused)
		s.r.Check(fmt.Sprintf("nothing is left open, on chain %d of the two", i+1), open)
		unknown, err := client.Messages(ctx, sidecar.MessageFilter{Chain: chain.ID, Status: sidecar.MessageUnknown})
		if err != nil {
			return err
		}
		var unanswered error
		for _, m := range unknown {
			if m.Executing.Number <= final && m.State == sidecar.StateTracked {
				unanswered = errors.Join(unanswered, fmt.Errorf("log %d of %s", m.LogIndex, m.Executing.BlockKey))
			}
		}
		s.r.Check(fmt.Sprintf("every final message is decided, on chain %d of the two", i+1), unanswered)
	}
	return nil
}

func openUpTo(all []sidecar.Attestation, final uint64) []sidecar.Attestation {
	var open []sidecar.Attestation
	for _, a := range all {
		if !a.IsDecided() && a.Number <= final {
			open = append(open, a)
		}
	}
	return open
}

// accusations are the verdicts that hold something against somebody. The attesters sign what op-supernode calls cross-safe.
func accusations(all []sidecar.Attestation) error {
	var accused error
	for _, a := range sidecar.NotUpheldBlocks(all) {
		if a.Verdict != sidecar.Superseded {
			accused = errors.Join(accused, fmt.Errorf("%s: %s %s (%s)", a.BlockKey, a.Verdict, a.Reason, a.Detail))
		}
	}
	return accused
}
