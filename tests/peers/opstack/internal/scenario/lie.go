package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"crosscheck.dev/opstack/internal/gossip"
	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// The sources of the recorder.
const (
	served   = "served by Crosscheck"
	follower = "the follower of Crosscheck"
	control  = "the control follower"
)

// grace is how long Crosscheck may still serve what it has just proven invalid.
const grace = time.Second

// lie is an invalid message of a block, and what became of it.
type lie struct {
	r          *Run
	crosscheck *sidecar.Process
	chain      *stack.Chain
	// other is the chain whose batches are held back: op-supernode names the block as local-safe, and cannot judge it until they
	// are released. Crosscheck can.
	other    *stack.Chain
	executed *message.Executed
	block    eth.BlockID
	recorder *sidecar.Recorder
	// levels are those at which the block must not be served.
	levels []sidecar.Level
	// replacement is the block in its place.
	replacement common.Hash
}

// attestedLie: the sequencer attests the block while it stands.
func attestedLie(ctx context.Context, r *Run) error {
	ctx, l, err := r.lie(ctx, false)
	if err != nil {
		return err
	}
	return l.attested(ctx)
}

// replayedLie: a bystander has replayed the block's unsafe frame before the sequencer attests it.
func replayedLie(ctx context.Context, r *Run) error {
	ctx, l, err := r.lie(ctx, true)
	if err != nil {
		return err
	}
	// The replay is there first.
	_, err = sidecar.WaitFor(ctx, "the replayed attestation", func(ctx context.Context) (*sidecar.Attestation, error) {
		return l.crosscheck.Client().Attestation(ctx, l.chain.ID, l.block.Hash)
	}, func(a *sidecar.Attestation) bool { return a != nil })
	if err != nil {
		return err
	}
	if err := l.attested(ctx); err != nil {
		return err
	}
	return l.genuineKept(ctx)
}

// unattestedLie: nobody attests the block.
func unattestedLie(ctx context.Context, r *Run) error {
	ctx, l, err := r.lie(ctx, false)
	if err != nil {
		return err
	}
	l.levels = append(l.levels, sidecar.LevelLocalSafe)
	if err := l.standsLocalSafe(ctx); err != nil {
		return err
	}
	events, err := l.crosscheck.Client().Told(ctx, l.chain.ID)
	if err != nil {
		return err
	}
	l.r.Check("the invalid message is told while the block stands", expect(1, l.count(events, sidecar.ToldInvalid)))
	if err := l.other.Release(ctx); err != nil {
		return err
	}
	if err := l.watched(ctx); err != nil {
		return err
	}
	l.released(ctx)
	if err := l.blamesNobody(ctx); err != nil {
		return err
	}
	return l.told(ctx)
}

// standsLocalSafe waits until Crosscheck has proven the block invalid and has seen it as local-safe, and for a little longer.
func (l *lie) standsLocalSafe(ctx context.Context) error {
	subject := sidecar.Subject{Block: keyOf(l.executed), LogIndex: &l.executed.LogIndex}
	if _, err := l.crosscheck.Log.AwaitLine(ctx, 0, sidecar.LineInvalid, subject); err != nil {
		return err
	}
	if err := l.r.crash(ctx, l.crosscheck); err != nil {
		return err
	}
	_, err := l.crosscheck.Client().WaitChain(ctx, l.chain.ID, "that it sees the block as local-safe", func(s *sidecar.ChainStatus) bool {
		return s.LocalSafe != nil && *s.LocalSafe >= l.block.Number
	})
	if err != nil {
		return err
	}
	select {
	case <-time.After(2 * grace):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lie starts a Crosscheck, the recorder of heads, and gets an invalid message into a block of the second chain. The first chain's
// batches are held back from the moment the message can be executed.
func (r *Run) lie(ctx context.Context, replays bool) (context.Context, *lie, error) {
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, func(config *sidecar.Config) {
		// So that it sees each of the heads that op-supernode names for a moment only.
		config.PollInterval = 200 * time.Millisecond
	})
	if err != nil {
		return ctx, nil, err
	}
	members := r.Stack.Members()
	chain := members[1]
	if replays {
		chain.Peers.Bystander.Switch(true)
	}
	if err := r.followersFollow(ctx, chain); err != nil {
		return ctx, nil, err
	}
	other := members[0]
	settled := r.Sender.Settled
	r.Sender.Settled = func(ctx context.Context, chain, height uint64) error {
		if err := settled(ctx, chain, height); err != nil {
			return err
		}
		return other.Hold(ctx)
	}
	l := &lie{r: r, crosscheck: crosscheck, chain: chain, other: other, levels: []sidecar.Level{sidecar.LevelSafe}, recorder: r.recordFollowers(chain)}
	r.releases = append(r.releases, l.recorder.Stop)
	if l.executed, err = r.Sender.Send(ctx, other.ID, chain.ID, message.WrongHash); err != nil {
		return ctx, nil, err
	}
	l.block = eth.BlockID{Number: l.executed.Number, Hash: l.executed.Hash}
	return ctx, l, nil
}

// followersFollow waits until both followers are past the activation.
func (r *Run) followersFollow(ctx context.Context, chain *stack.Chain) error {
	current, err := chain.Status(ctx)
	if err != nil {
		return err
	}
	for _, pair := range []*stack.Pair{chain.Follower, chain.Control} {
		if err := pair.AwaitSafe(ctx, current.SafeL2.Number); err != nil {
			return err
		}
	}
	return nil
}

// attested has the sequencer attest the block, and waits for the verdict, the hold, the replacement and the release.
func (l *lie) attested(ctx context.Context) error {
	if _, err := l.chain.Peers.Attester.PublishHash(ctx, l.block.Hash, gossip.Manner{}); err != nil {
		return err
	}
	client := l.crosscheck.Client()
	attestation, err := client.WaitDecided(ctx, l.chain.ID, l.block.Hash)
	if err != nil {
		return err
	}
	l.r.Check("the attested lie is violated", expect(sidecar.Violated+" "+sidecar.ReasonInvalid, attestation.Verdict+" "+attestation.Reason))
	known := attestation.Attributable != nil && *attestation.Attributable
	l.r.Check("it is attributable", expect(true, known))
	if err := l.r.crash(ctx, l.crosscheck); err != nil {
		return err
	}
	l.r.Check("it holds the served head", within(ctx, settling, func(ctx context.Context) error {
		_, err := client.WaitChain(ctx, l.chain.ID, "that the block holds the head", func(s *sidecar.ChainStatus) bool {
			return s.Hold != nil && s.Hold.Hash == l.block.Hash && s.Hold.Verdict == sidecar.Violated
		})
		return err
	}))
	again, err := client.WaitDecided(ctx, l.chain.ID, l.block.Hash)
	if err != nil {
		return err
	}
	l.r.Check("the verdict stays", expect(attestation.Verdict+" "+attestation.Reason+" "+attestation.Detail,
		again.Verdict+" "+again.Reason+" "+again.Detail))
	if err := l.other.Release(ctx); err != nil {
		return err
	}
	if err := l.watched(ctx); err != nil {
		return err
	}
	replacement, err := client.WaitDecided(ctx, l.chain.ID, l.replacement)
	if err != nil {
		return err
	}
	l.r.Check("its replacement is upheld", expect(sidecar.UpheldReplacement, replacement.Verdict))
	l.released(ctx)
	return l.told(ctx)
}

// released holds that nothing keeps the served head, and that the message's life ended with its block.
func (l *lie) released(ctx context.Context) {
	client := l.crosscheck.Client()
	l.r.Check("the served head is released", within(ctx, settling, func(ctx context.Context) error {
		_, err := client.WaitChain(ctx, l.chain.ID, "that nothing holds the head", func(s *sidecar.ChainStatus) bool {
			return s.Hold == nil && s.Vouched != nil && *s.Vouched >= l.block.Number
		})
		return err
	}))
	l.r.Check("the message is resolved by another block in the place of its own", within(ctx, settling, func(ctx context.Context) error {
		ended, err := client.WaitMessage(ctx, keyOf(l.executed), l.executed.LogIndex, "the end", (*sidecar.Message).HasEnded)
		if err != nil {
			return err
		}
		// The sequencer may build its block again before op-supernode replaces that one, too.
		if ended.State != sidecar.StateResolved || ended.EndedBy == nil || *ended.EndedBy == l.block.Hash {
			return fmt.Errorf("%s by %v", ended.State, ended.EndedBy)
		}
		return nil
	}))
}

// told holds that the invalid message was told once, of the right block, and never as cross-safe or final.
func (l *lie) told(ctx context.Context) error {
	events, err := l.crosscheck.Client().Told(ctx, 0)
	if err != nil {
		return err
	}
	l.r.Check("the invalid message is told once, of the right block and for the right reason", expect(1, l.count(events, sidecar.ToldInvalid)))
	l.r.Check("its end is told once", expect(1, l.count(events, sidecar.ToldEnded)))
	others := 0
	for i := range events {
		switch events[i].Kind {
		case sidecar.ToldInvalid, sidecar.ToldInvalidSafe, sidecar.ToldInvalidFinal, sidecar.ToldFlip:
			others++
		}
	}
	l.r.Check("no other message is told to be invalid, and this one neither as cross-safe nor as final", expect(1, others))
	return l.r.toldOnce(ctx, l.crosscheck.Client())
}

// count is how often something was told of the lie itself.
func (l *lie) count(events []sidecar.Told, kind string) int {
	count := 0
	for i := range events {
		event := &events[i]
		isIt := event.Executing.BlockKey == keyOf(l.executed) && event.LogIndex != nil && *event.LogIndex == l.executed.LogIndex
		if event.Kind == kind && isIt && (kind != sidecar.ToldInvalid || l.executed.Kind.Accepts(event.Reason)) {
			count++
		}
	}
	return count
}

// blamesNobody holds that there is no verdict on the block: nobody attested it, so nobody has to answer for it.
func (l *lie) blamesNobody(ctx context.Context) error {
	client := l.crosscheck.Client()
	attestation, err := client.Attestation(ctx, l.chain.ID, l.block.Hash)
	if err != nil {
		return err
	}
	if attestation != nil {
		err = fmt.Errorf("%s: %s %s, attributable %v", attestation.BlockKey, attestation.Verdict, attestation.Reason, attestation.Attributable)
	}
	events, failure := client.Told(ctx, 0)
	for i := range events {
		event := &events[i]
		isUpheld := event.Verdict == sidecar.Upheld || event.Verdict == sidecar.UpheldReplacement
		if event.Kind == sidecar.ToldVerdict && (event.Block.Hash == l.block.Hash || !isUpheld) {
			err = errors.Join(err, fmt.Errorf("told: %s of %s", event.Verdict, event.Block))
		}
	}
	l.r.Check("nobody is blamed: there is no verdict on the block, and none against any other", err)
	return failure
}

// watched waits until the block was replaced everywhere, and looks at whom it misled meanwhile.
func (l *lie) watched(ctx context.Context) error {
	var err error
	if l.replacement, err = l.chain.AwaitReplaced(ctx, l.block); err != nil {
		return err
	}
	ours, theirs := l.arrival(ctx, l.chain.Follower), l.arrival(ctx, l.chain.Control)
	at, controlled := <-ours, <-theirs
	if err := errors.Join(at.err, controlled.err); err != nil {
		return err
	}
	settled, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	judged, err := l.recorder.AwaitReached(settled, supernode, sidecar.LevelSafe, l.block.Number, time.Time{})
	if err != nil {
		return err
	}
	told, err := l.recorder.AwaitReached(settled, served, sidecar.LevelSafe, l.block.Number, time.Time{})
	if err != nil {
		return err
	}
	l.recorder.Stop()
	l.r.Delay("on the replacement", "what Crosscheck serves %.2f s after op-supernode, its follower %.1f s after the control follower",
		told.Sub(judged).Seconds(), at.time.Sub(controlled.time).Seconds())
	l.notMisled(ctx)
	l.r.Check("the replacement is served no later than two block times after op-supernode has it safe", atOnce(l.chain, told, judged))
	l.r.Check("our follower is on the replacement as soon as the control follower", inStep(l.chain, at.time, controlled.time))
	return nil
}

// notMisled holds that nobody was served the block once it was proven invalid.
func (l *lie) notMisled(ctx context.Context) {
	times := l.crosscheck.Log.TimesOf(sidecar.Subject{Block: keyOf(l.executed)})
	l.r.Check("the message is proven invalid", missing("proof", times.Invalid))
	recording := l.recorder.Of(served)
	for _, level := range l.levels {
		late := lateOn(ctx, &recording, level, l.block, times.Invalid.Add(grace), l.chain)
		l.r.Check(fmt.Sprintf("the block is not served as %s once it is proven invalid", level), late)
	}
	for _, source := range []string{supernode, follower, control} {
		recording := l.recorder.Of(source)
		on, err := recording.BuiltOn(ctx, sidecar.LevelSafe, l.block, l.chain.Client)
		if len(on) > 0 {
			err = errors.Join(err, fmt.Errorf("safe head %s", on[0]))
		}
		l.r.Check(source+" never has the block as safe", err)
	}
}

// lateOn says whether a head on the block was told after a time.
func lateOn(
	ctx context.Context, recording *sidecar.Recording, level sidecar.Level, block eth.BlockID, after time.Time, chain *stack.Chain,
) error {
	on, err := recording.BuiltOn(ctx, level, block, chain.Client)
	if err != nil {
		return err
	}
	for _, head := range on {
		for _, sighting := range recording.Sightings(head.Hash) {
			if sighting.Level == level && sighting.Last.After(after) {
				return fmt.Errorf("%s was served until %.1f s after the proof", head.BlockID, sighting.Last.Sub(after.Add(-grace)).Seconds())
			}
		}
	}
	return nil
}

type arrived struct {
	time time.Time
	err  error
}

// arrival tells when a follower has the replacement in its safe chain.
func (l *lie) arrival(ctx context.Context, pair *stack.Pair) <-chan arrived {
	told := make(chan arrived, 1)
	go func() {
		err := pair.AwaitSafeBlock(ctx, eth.BlockID{Number: l.block.Number, Hash: l.replacement})
		told <- arrived{time: time.Now(), err: err}
	}()
	return told
}

// genuineKept holds that every attestation that the sequencer really made while the bystander was on is kept as attributable.
// Blocks that the sequencer built anew are replayed, too, and never attested: they are no business of this check.
func (l *lie) genuineKept(ctx context.Context) error {
	const more = 6
	current, err := l.chain.Status(ctx)
	if err != nil {
		return err
	}
	from, to := l.block.Number+2, current.SafeL2.Number+more
	attester := l.chain.Peers.Attester
	last, err := attester.AwaitSent(ctx, func(sent gossip.Sent) bool {
		return sent.Domain == gossip.OwnDomain && sent.Block.Number >= to
	})
	if err != nil {
		return err
	}
	isKept := func(a *sidecar.Attestation) bool { return a != nil && a.Attributable != nil && *a.Attributable }
	client := l.crosscheck.Client()
	// What was sent before the last is judged before it.
	_, err = sidecar.WaitFor(ctx, "the last attestation, attributable", func(ctx context.Context) (*sidecar.Attestation, error) {
		return client.Attestation(ctx, l.chain.ID, last.Block.Hash)
	}, isKept)
	if err != nil {
		return err
	}
	attestations, err := client.Attestations(ctx, l.chain.ID)
	if err != nil {
		return err
	}
	known := make(map[common.Hash]*sidecar.Attestation, len(attestations))
	for i := range attestations {
		known[attestations[i].Hash] = &attestations[i]
	}
	var lost []uint64
	genuine := 0
	for _, sent := range attester.Sent() {
		if sent.Domain != gossip.OwnDomain || sent.Block.Number < from || sent.Block.Number > to {
			continue
		}
		genuine++
		if !isKept(known[sent.Block.Hash]) {
			lost = append(lost, sent.Block.Number)
		}
	}
	if len(lost) > 0 || genuine == 0 {
		err = fmt.Errorf("of %d genuine attestations not kept: %v", genuine, lost)
	}
	l.r.Check("genuine attestations are kept as attributable, though replays came first", err)
	return nil
}

// expect says what was seen instead.
func expect[T comparable](wanted, seen T) error {
	if wanted != seen {
		return fmt.Errorf("%v instead of %v", seen, wanted)
	}
	return nil
}

func missing(what string, at time.Time) error {
	if at.IsZero() {
		return fmt.Errorf("no %s was told", what)
	}
	return nil
}
