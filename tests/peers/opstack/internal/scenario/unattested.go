package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// unattested are the scenarios in which nobody attests anything.
var unattested = []Scenario{
	{
		Name: "verified", Shows: "nobody attests, and Crosscheck reads op-nodes that verify no message: it verifies every block by itself",
		Stack: withPlain, Fresh: true, Limit: 15 * time.Minute, run: verified(message.WrongHash),
	},
	{
		Name: "clamped", Shows: "nobody attests, and Crosscheck verifies what op-supernode calls safe",
		Stack: usual, Limit: 20 * time.Minute, run: clamped,
	},
}

// depths are how many of its newest blocks L1 replaces at once.
var depths = []int{1, 3, 7}

// verifiedKinds are verified, each with another kind of invalid message: a plain op-node remains on the invalid block for good, so that
// a stack is used up by one.
func verifiedKinds() []Scenario {
	var scenarios []Scenario
	for _, kind := range message.Invalid {
		if kind != message.WrongHash {
			scenarios = append(scenarios, Scenario{
				Name: "verified-" + string(kind), Shows: "as verified, and the invalid message is of this kind", ByHand: true,
				Stack: withPlain, Fresh: true, Limit: 15 * time.Minute, run: verified(kind),
			})
		}
	}
	return scenarios
}

// alone starts a Crosscheck that nobody attests anything to, and records what its follower is told.
func (r *Run) alone(ctx context.Context, which stack.RollupNode, mode sidecar.FollowMode) (context.Context, *sidecar.Process, error) {
	r.Attest(false)
	ctx, crosscheck, err := r.Sidecar(ctx, which, func(config *sidecar.Config) {
		config.Follow = mode
		for i := range config.Chains {
			if mode == sidecar.FollowVerified {
				config.Chains[i].FollowUpstream = ""
			}
		}
	})
	if err != nil {
		return ctx, nil, err
	}
	for _, chain := range r.Stack.Members() {
		if err := crosscheck.Client().WaitVouched(ctx, chain.ID, chain.ActivationHeight()+2); err != nil {
			return ctx, nil, err
		}
		if err := r.followersFollow(ctx, chain); err != nil {
			return ctx, nil, err
		}
	}
	return ctx, crosscheck, crosscheck.Client().WaitReady(ctx)
}

// reorgs holds that L1 reorganisations are survived, and that nobody is accused for them.
func (r *Run) reorgs(ctx context.Context, client *sidecar.Client, aside []*message.Executed, blocks []eth.BlockID) error {
	for _, depth := range depths {
		if _, err := r.Stack.L1.Reorg(ctx, depth, nil); err != nil {
			return err
		}
		if err := r.bothMoveOn(ctx, client, time.Minute); err != nil {
			return err
		}
		r.Check(fmt.Sprintf("nobody is accused after L1 replaced %d blocks", depth), accusedBut(ctx, client, r.Stack.Members(), aside, blocks))
	}
	return nil
}

// verified: the follower has what Crosscheck found valid by itself, in step with one that follows op-supernode; after an L1
// reorganisation, too. It is never led onto a block that op-supernode replaces.
func verified(kind message.Kind) func(context.Context, *Run) error {
	return func(ctx context.Context, r *Run) error { return verifiedOf(ctx, r, kind) }
}

func verifiedOf(ctx context.Context, r *Run, kind message.Kind) error {
	for _, chain := range r.Stack.Members() {
		if err := chain.Plain.AwaitFinalized(ctx, chain.ActivationHeight()+1); err != nil {
			return fmt.Errorf("the activation of chain %d does not become final: %w", chain.ID, err)
		}
	}
	ctx, crosscheck, err := r.alone(ctx, stack.PlainNode, sidecar.FollowVerified)
	if err != nil {
		return err
	}
	client, members := crosscheck.Client(), r.Stack.Members()
	chain := members[1]
	recorder := r.recordFollowers(chain)
	defer recorder.Stop()
	if err := r.validBothWays(ctx, crosscheck, 1); err != nil {
		return err
	}
	if err := r.walksInStep(ctx, recorder, chain); err != nil {
		return err
	}
	if err := r.reorgs(ctx, client, nil, nil); err != nil {
		return err
	}
	block, executed, err := r.invalidBlock(ctx, crosscheck, members, kind)
	if err != nil {
		return err
	}
	if _, err := chain.AwaitReplaced(ctx, block); err != nil {
		return err
	}
	if err := chain.Plain.AwaitSafeBlock(ctx, block); err != nil {
		return fmt.Errorf("the plain node does not stay on the block: %w", err)
	}
	r.Check("the invalid block holds the served head, as one that the rollup node derived", within(ctx, settling, func(ctx context.Context) error {
		_, err := client.WaitChain(ctx, chain.ID, "that the block holds the head", func(s *sidecar.ChainStatus) bool {
			return s.Hold != nil && s.Hold.Hash == block.Hash && slices.Contains(s.Hold.Claimants, sidecar.ClaimantDerived)
		})
		return err
	}))
	recorder.Stop()
	for _, source := range []string{served, follower, control} {
		r.Check("the block is never safe: "+source, neverOn(ctx, recorder, source, block, chain))
	}
	r.Check("no consensus failure is told of a block that is only local-safe", failure(crosscheck.Log))
	r.Check("nobody is accused but the one message", accusedBut(ctx, client, members, []*message.Executed{executed}, []eth.BlockID{block}))
	return nil
}

// clamped: what op-supernode calls safe is verified, and the follower goes with it over a replacement.
func clamped(ctx context.Context, r *Run) error {
	if err := r.ActivationFinal(ctx); err != nil {
		return err
	}
	ctx, crosscheck, err := r.alone(ctx, stack.SequencerNode, sidecar.FollowClamp)
	if err != nil {
		return err
	}
	client, members := crosscheck.Client(), r.Stack.Members()
	chain := members[1]
	recorder := r.recordFollowers(chain)
	defer recorder.Stop()
	if err := r.walksInStep(ctx, recorder, chain); err != nil {
		return err
	}
	var invalid []eth.BlockID
	var told []*message.Executed
	for _, kind := range message.Invalid {
		block, executed, err := r.invalidBlock(ctx, crosscheck, members, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		invalid, told = append(invalid, block), append(told, executed)
		replacement, err := chain.AwaitReplaced(ctx, block)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		decided, err := client.WaitDecided(ctx, chain.ID, replacement)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		r.Check(fmt.Sprintf("%s: its replacement is upheld", kind), expect(true, decided.IsUpheld()))
		if err := r.movesOn(ctx, crosscheck, chain.ID); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	if err := r.reorgs(ctx, client, told, invalid); err != nil {
		return err
	}
	recorder.Stop()
	for i, block := range invalid {
		for _, source := range []string{served, follower, control} {
			r.Check(fmt.Sprintf("%s: the block is never safe: %s", told[i].Kind, source), neverOn(ctx, recorder, source, block, chain))
		}
	}
	events, err := client.Told(ctx, 0)
	if err != nil {
		return err
	}
	refuted := 0
	for i := range events {
		if events[i].Kind == sidecar.ToldClaimRefuted {
			refuted++
		}
	}
	r.Check("no claim of op-supernode is refuted", expect(0, refuted))
	return nil
}

// invalidBlock gets an invalid message of a kind into a block of the second chain, and waits until Crosscheck has proven it.
func (r *Run) invalidBlock(
	ctx context.Context, crosscheck *sidecar.Process, members []*stack.Chain, kind message.Kind,
) (eth.BlockID, *message.Executed, error) {
	executed, err := r.Sender.Send(ctx, members[0].ID, members[1].ID, kind)
	if err != nil {
		return eth.BlockID{}, nil, err
	}
	subject := sidecar.Subject{Block: keyOf(executed), LogIndex: &executed.LogIndex}
	_, err = crosscheck.Log.AwaitLine(ctx, 0, sidecar.LineInvalid, subject)
	r.Check(fmt.Sprintf("%s: the message is proven invalid", kind), err)
	return eth.BlockID{Number: executed.Number, Hash: executed.Hash}, executed, nil
}

// walksInStep holds that what Crosscheck serves, and its follower, are at most two block times behind op-supernode and the control follower.
func (r *Run) walksInStep(ctx context.Context, recorder *sidecar.Recorder, chain *stack.Chain) error {
	current, err := chain.Status(ctx)
	if err != nil {
		return err
	}
	from, to := current.SafeL2.Number+1, current.SafeL2.Number+quietBlocks
	if err := chain.Await(ctx, stack.Safe, to); err != nil {
		return err
	}
	for _, pair := range []*stack.Pair{chain.Follower, chain.Control} {
		if err := pair.AwaitSafe(ctx, to); err != nil {
			return err
		}
	}
	for _, source := range []string{served, follower, control} {
		behind(r, recorder, source, from)
	}
	theirs, ours, followers := recorder.Of(supernode), recorder.Of(served), recorder.Of(follower)
	controls := recorder.Of(control)
	var late, lateFollower error
	for _, head := range theirs.Passed(sidecar.LevelSafe, from) {
		if head.Number > to {
			break
		}
		late = errors.Join(late, atOnce(chain, ours.Reached(sidecar.LevelSafe, head.Number), head.First))
		lateFollower = errors.Join(lateFollower, inStep(chain,
			followers.Reached(sidecar.LevelSafe, head.Number), controls.Reached(sidecar.LevelSafe, head.Number)))
	}
	r.Check("what is served is at most two block times behind op-supernode", late)
	r.Check("our follower is in step with the control follower", lateFollower)
	return nil
}

// accusedBut is accused, the verdicts on these blocks with these messages aside.
func accusedBut(
	ctx context.Context, client *sidecar.Client, chains []*stack.Chain, aside []*message.Executed, blocks []eth.BlockID,
) error {
	var found error
	for _, chain := range chains {
		attestations, err := client.Attestations(ctx, chain.ID)
		found = errors.Join(found, err)
		for _, a := range sidecar.NotUpheldBlocks(attestations) {
			isAside := slices.ContainsFunc(blocks, func(block eth.BlockID) bool { return block.Hash == a.Hash })
			if a.Verdict != sidecar.Superseded && !isAside {
				found = errors.Join(found, fmt.Errorf("%s: %s %s (%s)", a.BlockKey, a.Verdict, a.Reason, a.Detail))
			}
		}
	}
	return errors.Join(found, wrongMessages(ctx, client, aside...))
}
