package scenario

import (
	"context"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// starting is the stack of the scenarios in which Crosscheck starts late. Genesis is long enough before Lagoon for all of it to
// come up before.
var starting = stack.Options{Chains: 2, LagoonDelay: time.Minute, Followers: true, Lone: true}

// activationDuring: Crosscheck starts while the activation blocks are built and not derived yet.
func activationDuring(ctx context.Context, r *Run) error {
	r.attestEverything()
	for _, chain := range r.Stack.Chains {
		if err := chain.Hold(ctx); err != nil {
			return err
		}
	}
	for _, chain := range r.Stack.Chains {
		if err := chain.Await(ctx, stack.Unsafe, chain.ActivationHeight()); err != nil {
			return err
		}
		status, err := chain.Status(ctx)
		if err == nil && status.LocalSafeL2.Number >= chain.ActivationHeight() {
			err = fmt.Errorf("block %d is derived already", status.LocalSafeL2.Number)
		}
		r.Check(fmt.Sprintf("chain %d: the activation block is not derived when Crosscheck starts", chain.ID), err)
	}
	ctx, watches, err := r.watchBothSets(ctx)
	if err != nil {
		return err
	}
	for _, chain := range r.Stack.Chains {
		if err := chain.Release(ctx); err != nil {
			return err
		}
	}
	for _, watch := range watches {
		if err := r.passActivation(ctx, watch, true); err != nil {
			return err
		}
	}
	return nil
}

// activationAfter: Crosscheck starts when the activation blocks are final.
func activationAfter(ctx context.Context, r *Run) error {
	r.attestEverything()
	for _, chain := range r.Stack.Chains {
		if err := chain.Await(ctx, stack.Finalized, chain.ActivationHeight()+1); err != nil {
			return err
		}
	}
	ctx, watches, err := r.watchBothSets(ctx)
	if err != nil {
		return err
	}
	for _, watch := range watches {
		if err := r.passActivation(ctx, watch, false); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) attestEverything() {
	for _, chain := range r.Stack.Chains {
		chain.Peers.Attester.Switch(true)
	}
}

// watched is a chain and the Crosscheck that watches it.
type watched struct {
	*stack.Chain
	client *sidecar.Client
	// followers records the safe heads of both followers. It is nil where there are none.
	followers *sidecar.Recorder
}

// watchBothSets starts a Crosscheck for the members of the common set and one for the lone chain, and waits until both follow the
// heads of their chains.
func (r *Run) watchBothSets(ctx context.Context) (context.Context, []watched, error) {
	alone, err := r.loneSidecar(ctx)
	if err != nil {
		return ctx, nil, err
	}
	ctx, crosscheck, err := r.Sidecar(ctx, stack.SequencerNode, nil)
	if err != nil {
		return ctx, nil, err
	}
	watches := []watched{{Chain: r.lone(), client: alone.Client()}}
	for _, chain := range r.Stack.Members() {
		recorder := r.recordFollowers(chain)
		watches = append(watches, watched{Chain: chain, client: crosscheck.Client(), followers: recorder})
		r.releases = append(r.releases, recorder.Stop)
	}
	for _, watch := range watches {
		_, err := watch.client.WaitChain(ctx, watch.ID, "an unsafe head", func(s *sidecar.ChainStatus) bool { return s.Unsafe != nil })
		if err != nil {
			return ctx, nil, err
		}
	}
	return ctx, watches, nil
}

// recordFollowers records the heads of both followers of a chain, and of what they follow.
func (r *Run) recordFollowers(chain *stack.Chain) *sidecar.Recorder {
	return sidecar.RecordEvery(closeLook,
		sidecar.Source{Name: follower, URL: chain.Follower.Rollup.RPC()},
		sidecar.Source{Name: control, URL: chain.Control.Rollup.RPC()},
		sidecar.Source{Name: served, URL: r.Stack.FollowURL(chain.ID)},
		sidecar.Source{Name: supernode, URL: chain.VerifierRPC},
	)
}

// passActivation holds that every block from the first that is judged on is upheld, and that all heads move on. Where the activation
// is still to come, it is among them.
func (r *Run) passActivation(ctx context.Context, w watched, isToCome bool) error {
	status, err := w.Status(ctx)
	if err != nil {
		return err
	}
	last := max(w.ActivationHeight(), status.SafeL2.Number) + beyond
	if err := w.client.WaitUpheld(ctx, w.ID, last, last); err != nil {
		return err
	}
	name := func(text string) string { return fmt.Sprintf("chain %d: %s", w.ID, text) }
	first, err := lowest(ctx, w.client, w.ID)
	if err != nil {
		return err
	}
	r.Figure(name("the first block that is judged"), "%d; the activation block is %d", first, w.ActivationHeight())
	if isToCome {
		r.Check(name("the activation block is judged"), notAbove(first, w.ActivationHeight()))
	}
	settled, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	late := together(
		func() error { return w.client.WaitUpheld(settled, w.ID, first, last) },
		func() error { return w.client.WaitVouched(settled, w.ID, last) },
		func() error { return w.client.WaitReady(settled) },
	)
	r.Check(name("every block from there on is upheld"), late[0])
	r.Check(name("the vouched head moves on"), late[1])
	r.Check(name("Crosscheck is ready"), late[2])
	r.Check(name("nobody is accused"), accused(ctx, w.client, []*stack.Chain{w.Chain}, nil))
	if w.followers == nil {
		return nil
	}
	r.Check(name("the control follower's safe head moves on"), w.Control.AwaitSafe(ctx, last))
	r.Check(name("our follower's safe head moves on"), within(ctx, settling, func(ctx context.Context) error {
		return w.Follower.AwaitSafe(ctx, last)
	}))
	if isToCome {
		r.comparePassing(ctx, w)
	}
	return nil
}

// comparePassing tells how much later our side had the activation block in its safe chain: what Crosscheck serves after
// op-supernode, and its follower after the control follower. Each follower asks at times of its own, every few seconds.
func (r *Run) comparePassing(ctx context.Context, w watched) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	reached := func(name string, since time.Time) time.Time {
		at, err := w.followers.AwaitReached(ctx, name, sidecar.LevelSafe, w.ActivationHeight(), since)
		r.Check(fmt.Sprintf("chain %d: the activation block is seen to become safe: %s", w.ID, name), err)
		return at
	}
	since := reached(supernode, time.Time{})
	ours, followed, controlled := reached(served, since), reached(follower, since), reached(control, since)
	name := fmt.Sprintf("chain %d: the activation block is safe later by", w.ID)
	r.Delay(name, "%.2f s where Crosscheck serves it, %.2f s in our follower", ours.Sub(since).Seconds(), followed.Sub(controlled).Seconds())
	r.Check(fmt.Sprintf("chain %d: the activation block is served no later than two block times after op-supernode has it safe", w.ID),
		atOnce(w.Chain, ours, since))
	r.Check(fmt.Sprintf("chain %d: our follower passes the activation block as soon as the control follower", w.ID),
		inStep(w.Chain, followed, controlled))
}

// lowest is the lowest height of which a block was taken under audit.
func lowest(ctx context.Context, client *sidecar.Client, chain uint64) (uint64, error) {
	attestations, err := client.Attestations(ctx, chain)
	if err != nil {
		return 0, err
	}
	if len(attestations) == 0 {
		return 0, fmt.Errorf("chain %d has no block under audit", chain)
	}
	first := attestations[0].Number
	for _, attestation := range attestations {
		first = min(first, attestation.Number)
	}
	return first, nil
}

func notAbove(first, limit uint64) error {
	if first > limit {
		return fmt.Errorf("the first that is judged is %d", first)
	}
	return nil
}
