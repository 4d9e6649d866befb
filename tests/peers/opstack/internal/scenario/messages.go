package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/node"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// placements bounds how often two transactions are sent that must get into blocks of one timestamp.
const placements = 6

// messages: both judges see the same messages, and say the same.
func messages(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	r.Attest(true)
	members := r.Stack.Members()
	one, two := members[0].ID, members[1].ID
	before := len(r.Stack.Rulings.All())

	for i, kind := range message.Invalid {
		from, to := one, two
		if i%2 == 1 {
			from, to = two, one
		}
		if i%2 == 0 {
			if err := r.validBothWays(ctx, crosscheck, i/2+1); err != nil {
				return err
			}
		}
		executed, err := r.Sender.Send(ctx, from, to, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := r.judgedThroughCrash(ctx, crosscheck, executed, i%2 == 0); err != nil {
			return err
		}
	}
	if err := r.sameTimestamp(ctx, crosscheck, one, two); err != nil {
		return err
	}
	if err := r.cycle(ctx, crosscheck, one, two); err != nil {
		return err
	}
	r.lead()
	r.besideMonitor()
	if err := r.nothingElse(ctx, crosscheck.Client(), r.Stack.Rulings.All()[before:]); err != nil {
		return err
	}
	return r.toldOnce(ctx, crosscheck.Client())
}

// judgedThroughCrash is judgedAlike, and Crosscheck is killed either as soon as the message is executed, or as soon as it is proven invalid,
// where the scenario asks for that. What was proven stays.
func (r *Run) judgedThroughCrash(ctx context.Context, crosscheck *sidecar.Process, executed *message.Executed, early bool) error {
	if !early {
		// Whether it is proven rightly is looked at afterwards.
		if err := r.proven(ctx, crosscheck, executed); err != nil && ctx.Err() != nil {
			return fmt.Errorf("%s: %w", executed.Kind, err)
		}
	}
	if err := r.crash(ctx, crosscheck); err != nil {
		return err
	}
	r.judgedAlike(ctx, crosscheck, executed)
	return nil
}

// proven waits until Crosscheck has decided an invalid message, and says whether it did so rightly.
func (r *Run) proven(ctx context.Context, crosscheck *sidecar.Process, executed *message.Executed) error {
	ours, err := crosscheck.Client().WaitMessage(ctx, keyOf(executed), executed.LogIndex, "that it is decided", func(m *sidecar.Message) bool {
		return m.Status != sidecar.MessageUnknown
	})
	if err == nil && (ours.Status != sidecar.MessageInvalid || !executed.Kind.Accepts(ours.Reason)) {
		err = fmt.Errorf("Crosscheck says %s %s (%s)", ours.Status, ours.Reason, ours.Detail)
	}
	return err
}

// validBothWays holds that a message each way is valid for both.
func (r *Run) validBothWays(ctx context.Context, crosscheck *sidecar.Process, round int) error {
	members := r.Stack.Members()
	for i := range 2 {
		from, to := members[i], members[1-i]
		executed, err := r.Sender.Send(ctx, from.ID, to.ID, message.Valid)
		if err != nil {
			return err
		}
		r.executed = append(r.executed, executed)
		name := fmt.Sprintf("valid from chain %d to chain %d, round %d: valid for both", from.ID, to.ID, round)
		r.Check(name, r.validAlike(ctx, crosscheck, executed))
	}
	return nil
}

// validAlike waits until a message is valid for Crosscheck, and its block cross-safe for op-supernode.
func (r *Run) validAlike(ctx context.Context, crosscheck *sidecar.Process, executed *message.Executed) error {
	ours, err := crosscheck.Client().WaitMessage(ctx, keyOf(executed), executed.LogIndex, "that it is decided",
		func(m *sidecar.Message) bool { return m.Status != sidecar.MessageUnknown })
	if err != nil {
		return err
	}
	if ours.Status != sidecar.MessageValid {
		return fmt.Errorf("Crosscheck says %s %s (%s)", ours.Status, ours.Reason, ours.Detail)
	}
	chain := r.Stack.Chain(executed.Chain)
	if err := chain.Await(ctx, stack.Safe, executed.Number); err != nil {
		return err
	}
	if _, ruled := r.Stack.Rulings.Find(executed.Chain, executed.Hash); ruled {
		return errors.New("op-supernode invalidated it")
	}
	return nil
}

// settled starts a Crosscheck after Lagoon's activation is final, and waits until it vouches for a block after it.
func (r *Run) settled(ctx context.Context, rollup stack.RollupNode, change func(*sidecar.Config)) (context.Context, *sidecar.Process, error) {
	if err := r.ActivationFinal(ctx); err != nil {
		return ctx, nil, err
	}
	ctx, crosscheck, err := r.Sidecar(ctx, rollup, change)
	if err != nil {
		return ctx, nil, err
	}
	r.Attest(true)
	for _, chain := range r.Stack.Members() {
		if err := crosscheck.Client().WaitVouched(ctx, chain.ID, chain.ActivationHeight()+2); err != nil {
			return ctx, nil, err
		}
	}
	return ctx, crosscheck, crosscheck.Client().WaitReady(ctx)
}

// judgedAlike waits for both judgements of an invalid message, and for the replacement of its block.
func (r *Run) judgedAlike(ctx context.Context, crosscheck *sidecar.Process, executed *message.Executed) {
	err := r.proven(ctx, crosscheck, executed)
	ruling, theirs := r.Stack.Rulings.Await(ctx, executed.Chain, executed.Hash)
	if theirs != nil {
		err = errors.Join(err, fmt.Errorf("op-supernode does not invalidate block %s: %w", executed.Hash, theirs))
	}
	r.Check(fmt.Sprintf("%s: invalid for both, as %s", executed.Kind, executed.Kind.Reason()), err)
	r.delays(crosscheck, executed, ruling)
	block := eth.BlockID{Number: executed.Number, Hash: executed.Hash}
	_, err = r.Stack.Chain(executed.Chain).AwaitReplaced(ctx, block)
	r.Check(fmt.Sprintf("%s: replaced", executed.Kind), err)
}

// delays are told from the timestamp of the block on.
func (r *Run) delays(crosscheck *sidecar.Process, executed *message.Executed, ruling node.Ruling) {
	r.executed = append(r.executed, executed)
	made := r.made(executed)
	times := crosscheck.Log.TimesOf(sidecar.Subject{Block: keyOf(executed), LogIndex: &executed.LogIndex})
	after := func(at time.Time) string {
		if at.IsZero() {
			return "never"
		}
		return fmt.Sprintf("%.2f s", at.Sub(made).Seconds())
	}
	r.Figure(fmt.Sprintf("%s in %d/%d", executed.Kind, executed.Chain, executed.Number),
		"suspect after %s, proven after %s; op-supernode after %s",
		after(times.Suspect), after(times.Invalid), after(ruling.At))
	if !times.Invalid.IsZero() && !ruling.At.IsZero() {
		r.leads = append(r.leads, ruling.At.Sub(times.Invalid))
	}
}

// made is the timestamp of the block that executes a message.
func (r *Run) made(executed *message.Executed) time.Time {
	chain := r.Stack.Chain(executed.Chain)
	return time.Unix(int64(chain.Rollup.Genesis.L2Time+executed.Number*chain.Rollup.BlockTime), 0)
}

// besideMonitor tells what op-interop-mon made of the same messages, and when. It must have judged some; and it must have called none
// of the valid ones wrong, which would show that Crosscheck is, or it.
func (r *Run) besideMonitor() {
	silent := errors.New("op-interop-mon judged no message at all")
	var wrong error
	for _, executed := range r.executed {
		judgements := r.Stack.Monitor.Of(executed.Chain, executed.Number, executed.Hash)
		told := "nothing"
		for i, judgement := range judgements {
			silent = nil
			text := fmt.Sprintf("%s after %.2f s", judgement.Status, judgement.At.Sub(r.made(executed)).Seconds())
			if i == 0 {
				told = text
			} else {
				told += ", " + text
			}
			if executed.Kind.IsValid() && judgement.Status != "valid" && judgement.Status != "unknown" {
				wrong = errors.Join(wrong, fmt.Errorf("%s in %s: %s", executed.Kind, keyOf(executed), judgement.Status))
			}
		}
		r.Figure(fmt.Sprintf("op-interop-mon of %s in %d/%d", executed.Kind, executed.Chain, executed.Number), "%s", told)
	}
	r.Check("op-interop-mon judges messages", silent)
	r.Check("op-interop-mon calls no valid message anything else", wrong)
}

// lead tells how long before op-supernode invalid messages were proven.
func (r *Run) lead() {
	if len(r.leads) == 0 {
		return
	}
	slices.Sort(r.leads)
	r.Delay("proven before op-supernode's own judgement", "median %.2f s, at least %.2f s, of %d messages",
		r.leads[len(r.leads)/2].Seconds(), r.leads[0].Seconds(), len(r.leads))
}

// sameTimestamp: a message that is executed in the second in which it was initiated is valid.
func (r *Run) sameTimestamp(ctx context.Context, crosscheck *sidecar.Process, one, two uint64) error {
	for range placements {
		executed, err := r.Sender.SendSameTimestamp(ctx, one, two)
		if errors.Is(err, message.ErrMisplaced) {
			continue
		}
		if err != nil {
			return err
		}
		r.executed = append(r.executed, executed)
		r.Check("same-timestamp: valid for both", r.validAlike(ctx, crosscheck, executed))
		return nil
	}
	return fmt.Errorf("same-timestamp, %d times: %w", placements, message.ErrMisplaced)
}

// cycle: two messages that wait for each other are both invalid.
func (r *Run) cycle(ctx context.Context, crosscheck *sidecar.Process, one, two uint64) error {
	for range placements {
		pair, err := r.Sender.SendCycle(ctx, one, two)
		if errors.Is(err, message.ErrMisplaced) {
			continue
		}
		if err != nil {
			return err
		}
		for i, executed := range pair {
			// What was found first counts: once the other block is replaced, the cited log is gone, too.
			subject := sidecar.Subject{Block: keyOf(executed), LogIndex: &executed.LogIndex}
			found, err := crosscheck.Log.AwaitLine(ctx, 0, sidecar.LineInvalid, subject)
			if err == nil && !message.Cycle.Accepts(found.Text("reason")) {
				err = fmt.Errorf("Crosscheck says %s", found.Text("reason"))
			}
			ruling, theirs := r.Stack.Rulings.Await(ctx, executed.Chain, executed.Hash)
			r.Check(fmt.Sprintf("cycle: invalid for both, on chain %d of the two", i+1), errors.Join(err, theirs))
			r.delays(crosscheck, executed, ruling)
			block := eth.BlockID{Number: executed.Number, Hash: executed.Hash}
			if _, err := r.Stack.Chain(executed.Chain).AwaitReplaced(ctx, block); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("cycle, %d times: %w", placements, message.ErrMisplaced)
}

// nothingElse holds all blocks with invalid messages against all that op-supernode invalidated: no false alarm, and no miss.
func (r *Run) nothingElse(ctx context.Context, client *sidecar.Client, rulings []node.Ruling) error {
	ours, err := calledInvalid(ctx, client)
	if err != nil {
		return err
	}
	theirs := map[common.Hash]string{}
	for _, ruling := range rulings {
		theirs[ruling.Hash] = fmt.Sprintf("%d/%d (%s)", ruling.Chain, ruling.Number, ruling.Hash)
	}
	r.Check("no false alarm: op-supernode invalidated each block that we call invalid", lacking(ours, theirs))
	r.Check("no miss: we call each block invalid that op-supernode invalidated", lacking(theirs, ours))
	r.Figure("blocks invalidated", "%d", len(theirs))
	for _, chain := range r.Stack.Members() {
		attestations, err := client.Attestations(ctx, chain.ID)
		for _, attestation := range sidecar.NotUpheldBlocks(attestations) {
			err = errors.Join(err, fmt.Errorf("%s: %s %s", attestation.BlockKey, attestation.Verdict, attestation.Reason))
		}
		r.Check(fmt.Sprintf("chain %d: every attested block is upheld", chain.ID), err)
	}
	return nil
}

// calledInvalid are the blocks with a message that Crosscheck calls invalid, or called so to the end of its life. Messages whose life is over
// are not listed after a restart; what was told of them stays.
func calledInvalid(ctx context.Context, client *sidecar.Client) (map[common.Hash]string, error) {
	found, err := client.Messages(ctx, sidecar.MessageFilter{Status: sidecar.MessageInvalid})
	if err != nil {
		return nil, err
	}
	events, err := client.Told(ctx, 0)
	if err != nil {
		return nil, err
	}
	invalid := map[common.Hash]string{}
	for i := range events {
		event := &events[i]
		switch block := event.Executing.BlockKey; {
		case event.Kind == sidecar.ToldFlip && event.Reason == "":
			delete(invalid, block.Hash)
		case event.Kind == sidecar.ToldInvalid || event.Kind == sidecar.ToldFlip:
			invalid[block.Hash] = fmt.Sprintf("%s: %s", block, event.Reason)
		}
	}
	for _, m := range found {
		invalid[m.Executing.Hash] = fmt.Sprintf("%s: %s", m.Executing.BlockKey, m.Reason)
	}
	return invalid, nil
}

// lacking names what the one has and the other has not.
func lacking(has, lacks map[common.Hash]string) error {
	var err error
	for hash, text := range has {
		if _, known := lacks[hash]; !known {
			err = errors.Join(err, errors.New(text))
		}
	}
	return err
}

func keyOf(executed *message.Executed) sidecar.BlockKey {
	return sidecar.BlockKey{ChainID: executed.Chain, Number: executed.Number, Hash: executed.Hash}
}
