package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/proxy"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// outage is something that goes wrong around Crosscheck, through nobody's lie.
type outage struct {
	name  string
	shows string
	// begin makes it go wrong, end makes it right again.
	begin, end func(ctx context.Context, r *Run) error
	// lasts is how long it stays wrong.
	lasts time.Duration
	// told is a part of what /readyz says meanwhile.
	told string
	// recovery bounds how long Crosscheck may take once op-supernode has recovered. Zero: the usual time.
	recovery time.Duration
	// fresh asks for a stack of its own: one on which the sequencer never stood still.
	fresh bool
}

// outages are all of them.
var outages = []outage{
	{
		name: "batches-held", shows: "no batch is posted for two minutes", lasts: 2 * time.Minute, told: "local-safe head has been block",
		begin: batchers((*stack.Chain).Hold), end: batchers((*stack.Chain).Release),
	},
	{name: "l1-reorg-1", shows: "L1 replaces its newest block", begin: reorganise(1), recovery: time.Minute},
	{name: "l1-reorg-3", shows: "L1 replaces its newest 3 blocks", begin: reorganise(3), recovery: time.Minute},
	{name: "l1-reorg-7", shows: "L1 replaces its newest 7 blocks", begin: reorganise(7), recovery: time.Minute, fresh: true},
	{
		name: "supernode-stopped", shows: "op-supernode is away for a minute", lasts: time.Minute, told: "heads",
		begin: func(_ context.Context, r *Run) error { return r.Stack.Supernode.Stop() },
		end:   func(ctx context.Context, r *Run) error { return r.Stack.Supernode.Start(ctx) },
	},
	{
		name: "execution-restarted", shows: "an execution client is restarted", lasts: 10 * time.Second, told: "chain 902",
		begin: func(_ context.Context, r *Run) error { return r.Stack.Members()[1].Execution.Stop() },
		end:   func(_ context.Context, r *Run) error { return r.Stack.Members()[1].Execution.Start() },
	},
	{
		name: "l1-refuses", shows: "the L1 endpoint answers 429 for half a minute", lasts: 30 * time.Second, told: "429",
		begin: faultOnL1(proxy.TooMany()), end: faultOnL1(proxy.Pass()),
	},
}

// outageScenarios are two for each outage: Crosscheck goes through it, and is killed in the midst of it.
func outageScenarios() []Scenario {
	var scenarios []Scenario
	for _, outage := range outages {
		scenario := Scenario{
			Name: outage.name, Shows: outage.shows, Stack: usual, Fresh: outage.fresh, Limit: 10 * time.Minute,
			run: func(ctx context.Context, r *Run) error { return r.goThrough(ctx, outage) },
		}
		scenarios = append(append(scenarios, scenario), killed(scenario)...)
	}
	return scenarios
}

func batchers(do func(*stack.Chain, context.Context) error) func(context.Context, *Run) error {
	return func(ctx context.Context, r *Run) error {
		var err error
		for _, chain := range r.Stack.Members() {
			err = errors.Join(err, do(chain, ctx))
		}
		return err
	}
}

func reorganise(depth int) func(context.Context, *Run) error {
	return func(ctx context.Context, r *Run) error {
		if depth >= deepReorg {
			if err := r.safeOnTheNewest(ctx, depth-1); err != nil {
				return err
			}
		}
		_, err := r.Stack.L1.Reorg(ctx, depth, nil)
		return err
	}
}

// deepReorg is a depth that reaches the origins of blocks which are cross-safe already, so that these are replaced, too.
const deepReorg = 7

// safeOnTheNewest waits until the head that Crosscheck serves has one of the newest blocks of L1 as its origin, on each chain. op-node
// takes up a new origin with every second block only when the machine is busy, and L1 makes more: it is told to take up each at once.
func (r *Run) safeOnTheNewest(ctx context.Context, newest int) error {
	members := r.Stack.Members()
	for _, chain := range members {
		if err := chain.TakeUpOrigins(ctx, true); err != nil {
			return err
		}
	}
	client := sidecar.NewClient(&sidecar.Config{})
	for {
		behind := slices.DeleteFunc(slices.Clone(members), func(chain *stack.Chain) bool {
			status, err := client.SyncStatusAt(ctx, r.Stack.FollowURL(chain.ID))
			return err == nil && status.SafeL2.L1Origin.Number+uint64(newest) > r.Stack.L1.Head().Number.Uint64()
		})
		if len(behind) == 0 {
			break
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("chain %d: the origin of the safe head stays behind: %w", behind[0].ID, context.Cause(ctx))
		}
	}
	for _, chain := range members {
		if err := chain.TakeUpOrigins(ctx, false); err != nil {
			return err
		}
	}
	return nil
}

func faultOnL1(fault proxy.Fault) func(context.Context, *Run) error {
	return func(_ context.Context, r *Run) error {
		r.Stack.Faults.L1.Set(fault)
		return nil
	}
}

// goThrough has Crosscheck go through an outage. Everything must go on by itself once it is over.
func (r *Run) goThrough(ctx context.Context, outage outage) error {
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	if err := outage.begin(ctx, r); err != nil {
		return err
	}
	over := time.After(outage.lasts)
	if err := r.crash(ctx, crosscheck); err != nil {
		return err
	}
	select {
	case <-over:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if outage.told != "" {
		// Looked at before it ends: what is told at a start only does not count.
		r.Check("/readyz tells of it", within(ctx, settling, func(ctx context.Context) error {
			_, err := client.WaitReason(ctx, outage.told)
			return err
		}))
	}
	if outage.end != nil {
		if err := outage.end(ctx, r); err != nil {
			return err
		}
	}
	return r.recovers(ctx, client, cmp.Or(outage.recovery, recovery))
}

const (
	// further is how many blocks Crosscheck must vouch for after an outage.
	further = 8
	// recovery bounds how long it may take, generously: op-supernode catches up first.
	recovery = 2 * time.Minute
)

// recovers holds that Crosscheck is ready again, moves on, and has accused nobody.
func (r *Run) recovers(ctx context.Context, client *sidecar.Client, limit time.Duration) error {
	if err := r.bothMoveOn(ctx, client, limit); err != nil {
		return err
	}
	return r.nobodyAccused(ctx, client)
}

// bothMoveOn holds that Crosscheck is ready again and moves on, and the follower on it, within a time after op-supernode has.
func (r *Run) bothMoveOn(ctx context.Context, client *sidecar.Client, limit time.Duration) error {
	type goal struct {
		chain  *stack.Chain
		height uint64
	}
	var goals []goal
	for _, chain := range r.Stack.Members() {
		current, err := chain.Status(ctx)
		if err != nil {
			return err
		}
		goals = append(goals, goal{chain, max(current.LocalSafeL2.Number, current.SafeL2.Number) + further})
	}
	for _, goal := range goals {
		if err := goal.chain.Await(ctx, stack.Safe, goal.height); err != nil {
			return fmt.Errorf("op-supernode itself does not recover: %w", err)
		}
	}
	recovered := time.Now()
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var steps []func() error
	for _, goal := range goals {
		steps = append(steps,
			func() error { return client.WaitVouched(bounded, goal.chain.ID, goal.height) },
			func() error { return goal.chain.Follower.AwaitSafe(bounded, goal.height) })
	}
	results := together(steps...)
	r.Delay("moved on after op-supernode had", "%.1f s", time.Since(recovered).Seconds())
	for i := range goals {
		r.Check(fmt.Sprintf("the vouched head moves on, on chain %d of the two", i+1), results[2*i])
		r.Check(fmt.Sprintf("our follower's safe head moves on, on chain %d of the two", i+1), results[2*i+1])
	}
	// Looked at last: what stands still is told of after a while only.
	r.Check("it is ready in the end", within(ctx, settling, client.WaitReady))
	return nil
}

// nobodyAccused holds that no block and no message was found wrong.
func (r *Run) nobodyAccused(ctx context.Context, client *sidecar.Client) error {
	var accused error
	for _, chain := range r.Stack.Members() {
		attestations, err := client.Attestations(ctx, chain.ID)
		if err != nil {
			return err
		}
		accused = errors.Join(accused, accusations(attestations))
	}
	found, err := client.Messages(ctx, sidecar.MessageFilter{Status: sidecar.MessageInvalid})
	for _, m := range found {
		accused = errors.Join(accused, fmt.Errorf("a message of %s: %s (%s)", m.Executing.BlockKey, m.Reason, m.Detail))
	}
	r.Check("nobody is accused", accused)
	return err
}
