package scenario

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

const (
	// beyond is how many blocks after the activation block are looked at.
	beyond = 12
	// settling is how long something may still take once all that it waits for has happened.
	settling = 20 * time.Second
)

// activation: Crosscheck is there from the first block on, and everything is attested.
func activation(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.Sidecar(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	if err := r.attestFromGenesis(ctx, client); err != nil {
		return err
	}
	scores := r.watchScores(ctx)
	var watches []watched
	for _, chain := range r.Stack.Members() {
		watches = append(watches, watched{Chain: chain, client: client, followers: r.recordFollowers(chain)})
		r.releases = append(r.releases, watches[len(watches)-1].followers.Stop)
	}
	if r.killed {
		if err := r.killedAtActivation(ctx, crosscheck); err != nil {
			return err
		}
	}
	for _, chain := range r.Stack.Members() {
		if err := r.crossActivation(ctx, client, chain); err != nil {
			return err
		}
	}
	for _, watch := range watches {
		r.comparePassing(ctx, watch)
	}
	r.nothingRefused(ctx, client)
	r.Check("the sequencer's node never scores us below zero", scores.stop())
	if err := r.nobodyAccused(ctx, client); err != nil {
		return err
	}
	return r.toldOnce(ctx, client)
}

// attestFromGenesis has every block attested to Crosscheck, from the first on.
func (r *Run) attestFromGenesis(ctx context.Context, client *sidecar.Client) error {
	for _, chain := range r.Stack.Members() {
		chain.Peers.Attester.FromGenesis()
	}
	return r.attestTo(ctx, client)
}

// attestTo switches the attesters on once Crosscheck hears them: nothing that they say is lost on it.
func (r *Run) attestTo(ctx context.Context, client *sidecar.Client) error {
	for _, chain := range r.Stack.Members() {
		self, err := sidecar.WaitFor(ctx, "Crosscheck's peer id", func(ctx context.Context) (*sidecar.Peer, error) {
			return client.Self(ctx, chain.ID)
		}, func(*sidecar.Peer) bool { return true })
		if err != nil {
			return err
		}
		if err := chain.Peers.AwaitListener(ctx, self.ID); err != nil {
			return err
		}
	}
	r.Attest(true)
	return nil
}

// killedAtActivation kills Crosscheck as soon as it has heard of the activation blocks, which are not derived yet, and starts it again.
// What was attested before is in its ledger; what becomes safe meanwhile is attested afterwards.
func (r *Run) killedAtActivation(ctx context.Context, crosscheck *sidecar.Process) error {
	client := crosscheck.Client()
	for _, chain := range r.Stack.Members() {
		if err := chain.Hold(ctx); err != nil {
			return err
		}
	}
	for _, chain := range r.Stack.Members() {
		_, err := client.WaitChain(ctx, chain.ID, "the activation block", func(s *sidecar.ChainStatus) bool {
			return s.Gossiped != nil && *s.Gossiped >= chain.ActivationHeight()
		})
		if err != nil {
			return err
		}
	}
	r.Attest(false)
	for _, chain := range r.Stack.Members() {
		for _, sent := range chain.Peers.Attester.Sent() {
			if err := client.WaitAttested(ctx, chain.ID, sent.Block.Number, sent.Block.Number); err != nil {
				return err
			}
		}
	}
	if err := r.crash(ctx, crosscheck); err != nil {
		return err
	}
	if err := r.attestTo(ctx, client); err != nil {
		return err
	}
	for _, chain := range r.Stack.Members() {
		status, err := chain.Status(ctx)
		if err == nil && status.LocalSafeL2.Number >= chain.ActivationHeight() {
			err = fmt.Errorf("block %d is derived already", status.LocalSafeL2.Number)
		}
		r.Check(fmt.Sprintf("chain %d: the activation block is not derived when Crosscheck starts again", chain.ID), err)
		if err := chain.Release(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) crossActivation(ctx context.Context, client *sidecar.Client, chain *stack.Chain) error {
	height := chain.ActivationHeight()
	last := height + beyond
	// Blocks are decided one by one: the last is, once it has its verdict, whatever became of the others.
	if err := client.WaitAttested(ctx, chain.ID, last, last); err != nil {
		return err
	}
	name := func(text string) string { return fmt.Sprintf("chain %d: %s", chain.ID, text) }
	r.Check(name("the control follower's safe head passes the activation block"), chain.Control.AwaitSafe(ctx, last))
	// These have happened by now, or are about to.
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	late := together(
		func() error { return client.WaitAttested(ctx, chain.ID, 1, last) },
		func() error { return client.WaitVouched(ctx, chain.ID, last) },
		func() error { return chain.Follower.AwaitSafe(ctx, last) },
	)
	r.Check(name("every block from genesis on is received, accepted, attested and upheld, the activation block among them"), late[0])
	r.Check(name("the vouched head passes the activation block"), late[1])
	r.Check(name("our follower's safe head passes the activation block"), late[2])
	return nil
}

// upheld says which heights are not.
func upheld(ctx context.Context, client *sidecar.Client, chain, from, to uint64) error {
	attestations, err := client.Attestations(ctx, chain)
	if err != nil {
		return err
	}
	if missing := sidecar.NotUpheld(attestations, from, to); len(missing) > 0 {
		return fmt.Errorf("not upheld: %v", missing)
	}
	return nil
}

// nothingRefused holds that every frame of the sequencer and of the attester was accepted.
func (r *Run) nothingRefused(ctx context.Context, client *sidecar.Client) {
	refusals, err := client.Refusals(ctx, 0)
	for _, refusal := range refusals {
		err = errors.Join(err, fmt.Errorf("%d %s: %s %s", refusal.ChainID, refusal.Topic, refusal.Verdict, refusal.Reason))
	}
	r.Check("no frame is refused", err)
}

// together takes steps at the same time, and gives their errors in order.
func together(steps ...func() error) []error {
	results := make([]error, len(steps))
	var running sync.WaitGroup
	for i, step := range steps {
		running.Go(func() { results[i] = step() })
	}
	running.Wait()
	return results
}

// within bounds one step.
func within(ctx context.Context, limit time.Duration, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return step(ctx)
}
