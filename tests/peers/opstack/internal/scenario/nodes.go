package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// otherNodes are the scenarios in which Crosscheck reads something else than op-supernode and the sequencer's execution client.
var otherNodes = []Scenario{
	{
		Name: "plain-node", Shows: "an op-node that verifies no message is the rollup node, and op-supernode replaces a block",
		Stack: withPlain, Limit: 8 * time.Minute, run: plainNode,
	},
	{
		Name: "light-node", Shows: "the same with an op-node that follows op-supernode",
		Stack: withLight, Limit: 8 * time.Minute, run: lightNode,
	},
	{
		Name: "plain-sequencers", Shows: "an op-node sequences each chain, over Lagoon's activation, and op-supernode only verifies",
		Stack: withSequencers, Fresh: true, Limit: 8 * time.Minute, run: plainSequencers,
	},
	{
		Name: "lone-chain", Shows: "a chain with a dependency set of its own, over Lagoon's activation, beside two that have one in common",
		Stack: withLone, Fresh: true, Limit: 8 * time.Minute, run: loneChain,
	},
	{
		Name: "stale-answer", Shows: "an execution endpoint still tells a replaced block at its height, and next the child of the other",
		Stack: usual, Limit: 8 * time.Minute, run: staleAnswer,
	},
	{
		Name: "kona-node", Shows: "kona-node is Crosscheck's rollup node, and its only way to the chain's gossip is Crosscheck",
		Stack: withKona, Fresh: true, Limit: 8 * time.Minute, run: konaNode,
	},
	{
		Name: "kona-node-named", Shows: "the same on a chain with the id of a public one, whose name kona-node writes in place of the id",
		Stack: withNamed, Fresh: true, ByHand: true, Limit: 8 * time.Minute, run: konaNodeNamed,
	},
}

// Their stacks.
var (
	withPlain      = stack.Options{Chains: 2, LagoonDelay: usual.LagoonDelay, Followers: true, PlainNodes: true}
	withLight      = stack.Options{Chains: 2, LagoonDelay: usual.LagoonDelay, Followers: true, LightNodes: true}
	withLone       = stack.Options{Chains: 2, LagoonDelay: usual.LagoonDelay, Lone: true}
	withSequencers = stack.Options{Chains: 2, LagoonDelay: usual.LagoonDelay, Followers: true, PlainSequencers: true}
	withKona       = stack.Options{Lone: true, Isthmus: true, Kona: true, Followers: true}
	withNamed      = stack.Options{Lone: true, LoneID: 130, Isthmus: true, Kona: true, Followers: true}
)

// settledOn is settled with another node than op-supernode, of which Crosscheck is told: it begins after what that node calls final.
func (r *Run) settledOn(
	ctx context.Context, which stack.RollupNode, pair func(*stack.Chain) *stack.Pair,
) (context.Context, *sidecar.Process, error) {
	for _, chain := range r.Stack.Members() {
		if err := pair(chain).AwaitFinalized(ctx, chain.ActivationHeight()+1); err != nil {
			return ctx, nil, fmt.Errorf("the activation of chain %d does not become final: %w", chain.ID, err)
		}
	}
	return r.settled(ctx, which, nil)
}

// upholds holds that Crosscheck upholds the next blocks of each chain one by one, and vouches for them.
func (r *Run) upholds(ctx context.Context, client *sidecar.Client, chains []*stack.Chain) error {
	for _, chain := range chains {
		current, err := chain.Status(ctx)
		if err != nil {
			return err
		}
		from, to := current.SafeL2.Number+1, current.SafeL2.Number+further
		if err := chain.Await(ctx, stack.Safe, to); err != nil {
			return err
		}
		err = within(ctx, recovery, func(ctx context.Context) error { return client.WaitUpheld(ctx, chain.ID, from, to) })
		r.Check(fmt.Sprintf("chain %d: the next %d blocks are upheld", chain.ID, further), err)
		err = within(ctx, settling, func(ctx context.Context) error { return client.WaitVouched(ctx, chain.ID, to) })
		r.Check(fmt.Sprintf("chain %d: the vouched head moves on", chain.ID), err)
	}
	return nil
}

// movesOn holds that Crosscheck and its follower go on from here.
func (r *Run) movesOn(ctx context.Context, crosscheck *sidecar.Process, id uint64) error {
	client, chain := crosscheck.Client(), r.Stack.Chain(id)
	current, err := chain.Status(ctx)
	if err != nil {
		return err
	}
	goal := max(current.LocalSafeL2.Number, current.SafeL2.Number) + further
	if err := chain.Await(ctx, stack.Safe, goal); err != nil {
		return err
	}
	r.Check("the vouched head moves on after the replacement", within(ctx, recovery, func(ctx context.Context) error {
		return client.WaitVouched(ctx, id, goal)
	}))
	r.Check("our follower's safe head moves on after the replacement", within(ctx, recovery, func(ctx context.Context) error {
		return chain.Follower.AwaitSafe(ctx, goal)
	}))
	r.Check("it is ready after the replacement", within(ctx, settling, client.WaitReady))
	return nil
}

// accused says which blocks and messages were found wrong, the one message aside.
func accused(ctx context.Context, client *sidecar.Client, chains []*stack.Chain, aside *message.Executed) error {
	var messages []*message.Executed
	if aside != nil {
		messages = append(messages, aside)
	}
	return accusedBut(ctx, client, chains, messages, nil)
}

// wrongMessages says which messages were found wrong, these aside. The sequencer may have built its block again.
func wrongMessages(ctx context.Context, client *sidecar.Client, aside ...*message.Executed) error {
	invalid, err := client.Messages(ctx, sidecar.MessageFilter{Status: sidecar.MessageInvalid})
	for _, m := range invalid {
		isAside := slices.ContainsFunc(aside, func(executed *message.Executed) bool {
			return m.Executing.ChainID == executed.Chain && m.Executing.Number == executed.Number
		})
		if !isAside {
			err = errors.Join(err, fmt.Errorf("a message of %s: %s (%s)", m.Executing.BlockKey, m.Reason, m.Detail))
		}
	}
	return err
}

// failure is the first line that tells of a consensus failure.
func failure(log *sidecar.Log) error {
	event, told := log.First(0, func(e *sidecar.Event) bool { return strings.HasPrefix(e.Message, "consensus failure") })
	if told {
		return errors.New(event.String())
	}
	return nil
}

// repeated says which warnings and errors were told more often than this, after an event.
func repeated(log *sidecar.Log, after uint64, most int) error {
	var often []string
	for line, count := range log.Counts(after) {
		if level, text := line[0], line[1]; count > most && (level == "WARN" || level == "ERROR") {
			often = append(often, fmt.Sprintf("%d times %s %q", count, level, text))
		}
	}
	if len(often) == 0 {
		return nil
	}
	slices.Sort(often)
	return errors.New(strings.Join(often, ", "))
}
