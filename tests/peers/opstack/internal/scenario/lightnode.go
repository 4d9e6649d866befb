package scenario

import (
	"context"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// lightNode: what Crosscheck reads takes its safe heads from op-supernode, and goes with it over a replacement.
func lightNode(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.settledOn(ctx, stack.LightNode, func(c *stack.Chain) *stack.Pair { return c.Light })
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	members := r.Stack.Members()
	if err := r.upholds(ctx, client, members); err != nil {
		return err
	}
	chain := members[1]
	executed, err := r.Sender.Send(ctx, members[0].ID, chain.ID, message.WrongHash)
	if err != nil {
		return err
	}
	r.judgedAlike(ctx, crosscheck, executed)
	replacement, err := chain.AwaitReplaced(ctx, eth.BlockID{Number: executed.Number, Hash: executed.Hash})
	if err != nil {
		return err
	}
	decided, err := client.WaitDecided(ctx, chain.ID, replacement)
	if err != nil {
		return err
	}
	r.Check("its replacement is upheld", expect(true, decided.IsUpheld()))
	return r.movesOn(ctx, crosscheck, executed)
}

// movesOn holds that after a replacement Crosscheck and its followers go on, and that nobody but the one message is accused.
func (r *Run) movesOn(ctx context.Context, crosscheck *sidecar.Process, executed *message.Executed) error {
	client, chain := crosscheck.Client(), r.Stack.Chain(executed.Chain)
	goal := executed.Number + further
	if err := chain.Await(ctx, stack.Safe, goal); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	r.Check("the vouched head moves on after the replacement", client.WaitVouched(bounded, chain.ID, goal))
	r.Check("our follower's safe head moves on after the replacement", chain.Follower.AwaitSafe(bounded, goal))
	r.Check("it is ready", client.WaitReady(bounded))
	r.Check("no consensus failure is told", failure(crosscheck.Log))
	r.Check("nobody is accused but the one message", accused(ctx, client, r.Stack.Members(), executed))
	return nil
}
