package scenario

import (
	"context"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/proxy"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// mostLines is how often one warning may be told in the aftermath of a replacement, however long that lasts.
const mostLines = 10

// staleAnswer: op-supernode replaces a block. The endpoint still tells the block at its height, and next the child of its replacement:
// a cache does so, a balancer in front of clients on two branches, and an op-geth whose op-node stays on the block.
func staleAnswer(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	client, members := crosscheck.Client(), r.Stack.Members()
	chain := members[1]
	executed, err := r.Sender.Send(ctx, members[0].ID, chain.ID, message.WrongHash)
	if err != nil {
		return err
	}
	r.Stack.Faults.Chains[chain.ID].Execution.Set(proxy.Stale(executed.Number, executed.Hash))
	if _, err := chain.AwaitReplaced(ctx, eth.BlockID{Number: executed.Number, Hash: executed.Hash}); err != nil {
		return err
	}
	replaced := crosscheck.Log.Last()
	select {
	case <-time.After(r.aftermath):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	r.Check("no warning is told again and again", repeated(crosscheck.Log, replaced, mostLines))
	r.Check("no consensus failure is told: the replacement is safe", failure(crosscheck.Log))
	r.Check("it is not ready, and names the chain", within(ctx, settling, func(ctx context.Context) error {
		_, err := client.WaitReason(ctx, fmt.Sprintf("chain %d", chain.ID))
		return err
	}))
	r.Check("nobody is accused but the one message", accused(ctx, client, members, executed))
	r.Stack.Faults.Chains[chain.ID].Execution.Set(proxy.Pass())
	return r.movesOn(ctx, crosscheck, executed.Chain)
}
