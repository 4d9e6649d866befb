package scenario

import (
	"context"
	"fmt"
	"strings"

	"crosscheck.dev/opstack/internal/message"
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
	for _, member := range members {
		status, err := client.ChainStatus(ctx, member.ID)
		if err != nil {
			return err
		}
		told := status.SecondOpinion != nil && strings.HasPrefix(*status.SecondOpinion, "no independent second opinion")
		r.Check(fmt.Sprintf("chain %d: the rollup node is told to repeat its source's word", member.ID), expect(true, told))
	}
	chain := members[1]
	executed, err := r.Sender.Send(ctx, members[0].ID, chain.ID, message.WrongHash)
	if err != nil {
		return err
	}
	r.judgedAlike(ctx, crosscheck, executed)
	r.lead()
	replacement, err := chain.AwaitReplaced(ctx, eth.BlockID{Number: executed.Number, Hash: executed.Hash})
	if err != nil {
		return err
	}
	decided, err := client.WaitDecided(ctx, chain.ID, replacement)
	if err != nil {
		return err
	}
	r.Check("its replacement is upheld", expect(true, decided.IsUpheld()))
	r.Check("no consensus failure is told", failure(crosscheck.Log))
	r.Check("nobody is accused but the one message", accused(ctx, client, members, executed))
	return r.movesOn(ctx, crosscheck, chain.ID)
}
