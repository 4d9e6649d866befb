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
	r.Attest(true)
	ctx, crosscheck, err := r.Sidecar(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	scores := r.watchScores(ctx)
	var watches []watched
	for _, chain := range r.Stack.Members() {
		watches = append(watches, watched{Chain: chain, client: client, followers: r.recordFollowers(chain)})
		r.releases = append(r.releases, watches[len(watches)-1].followers.Stop)
	}
	for _, chain := range r.Stack.Members() {
		if err := r.crossActivation(ctx, client, chain); err != nil {
			return err
		}
	}
	for _, watch := range watches {
		r.comparePassing(watch)
	}
	r.nothingRefused(ctx, client)
	r.Check("the sequencer's node never scores us below zero", scores.stop())
	return nil
}

func (r *Run) crossActivation(ctx context.Context, client *sidecar.Client, chain *stack.Chain) error {
	height := chain.ActivationHeight()
	last := height + beyond
	// Blocks are decided one by one: the last is, once it has its verdict, whatever became of the others.
	if err := client.WaitUpheld(ctx, chain.ID, last, last); err != nil {
		return err
	}
	name := func(text string) string { return fmt.Sprintf("chain %d: %s", chain.ID, text) }
	r.Check(name("every block before the activation block is upheld"), upheld(ctx, client, chain.ID, 1, height-1))
	r.Check(name("every block after that is upheld"), upheld(ctx, client, chain.ID, height+2, last))
	r.Check(name("the control follower's safe head passes the activation block"), chain.Control.AwaitSafe(ctx, last))
	// These have happened by now, or are about to.
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	late := together(
		func() error { return client.WaitUpheld(ctx, chain.ID, height, height+1) },
		func() error { return client.WaitVouched(ctx, chain.ID, last) },
		func() error { return chain.Follower.AwaitSafe(ctx, last) },
	)
	r.Check(name("the activation block and its child are upheld"), late[0])
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
