package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// mostTurns is how often one warning may be told, and mostWarnings how many there may be in all, after a replacement that
// something Crosscheck reads takes no part in, however long that lasts. op-node tries again and again to get its execution client onto the
// other branch, about twice in eight seconds, and the client really goes there and back: that is told once for each branch.
const (
	mostTurns    = 4
	mostWarnings = 10
)

// plainNode: what Crosscheck reads derives for itself and verifies no message. It stays on a block that op-supernode replaces, and
// its safe head is no cross-safe one.
func plainNode(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.settledOn(ctx, stack.PlainNode, func(c *stack.Chain) *stack.Pair { return c.Plain })
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	members := r.Stack.Members()
	if err := r.upholds(ctx, client, members); err != nil {
		return err
	}
	chain := members[1]
	recorder := sidecar.Record(
		sidecar.Source{Name: served, URL: r.Stack.FollowURL(chain.ID)},
		sidecar.Source{Name: follower, URL: chain.Follower.Rollup.RPC()},
	)
	defer recorder.Stop()
	executed, err := r.Sender.Send(ctx, members[0].ID, chain.ID, message.WrongHash)
	if err != nil {
		return err
	}
	block := eth.BlockID{Number: executed.Number, Hash: executed.Hash}
	subject := sidecar.Subject{Block: keyOf(executed), LogIndex: &executed.LogIndex}
	_, err = crosscheck.Log.AwaitLine(ctx, 0, sidecar.LineInvalid, subject)
	r.Check("the message is proven invalid", err)
	if _, err := chain.AwaitReplaced(ctx, block); err != nil {
		return err
	}
	replaced := crosscheck.Log.Last()
	// The node derives what the batches say, and stays there.
	if err := chain.Plain.AwaitSafeBlock(ctx, block); err != nil {
		return fmt.Errorf("the plain node does not stay on the block: %w", err)
	}
	used, err := crosscheck.ProcessorTime()
	if err != nil {
		return err
	}
	select {
	case <-time.After(r.aftermath):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := r.tellAftermath(crosscheck, replaced, used); err != nil {
		return err
	}
	r.Check("no consensus failure is told of a block that is only local-safe", failure(crosscheck.Log))
	r.Check("no warning is told without a pause", repeated(crosscheck.Log, replaced, mostTurns))
	r.Check("it is not ready, and names the chain", within(ctx, settling, func(ctx context.Context) error {
		_, err := client.WaitReason(ctx, fmt.Sprintf("chain %d", chain.ID))
		return err
	}))
	r.Check("nobody is accused but the one message", accused(ctx, client, members, executed))
	recorder.Stop()
	for _, source := range []string{served, follower} {
		r.Check("the block is never safe: "+source, neverOn(ctx, recorder, source, block, chain))
	}
	return nil
}

// tellAftermath says what Crosscheck did since a line of its log, when it had used so much processor time.
func (r *Run) tellAftermath(crosscheck *sidecar.Process, since uint64, used time.Duration) error {
	now, err := crosscheck.ProcessorTime()
	if err != nil {
		return err
	}
	warnings := 0
	for line, count := range crosscheck.Log.Counts(since) {
		if line[0] == "WARN" || line[0] == "ERROR" {
			warnings += count
		}
	}
	r.Figure("while the node stays on the block", "%d warnings in %s, %.1f %% of a core", warnings, r.aftermath,
		100*(now-used).Seconds()/r.aftermath.Seconds())
	var failure error
	if warnings > mostWarnings {
		failure = fmt.Errorf("%d warnings, more than %d", warnings, mostWarnings)
	}
	r.Check("the warnings are few, however long it lasts", failure)
	return nil
}

// neverOn says which safe head was on a block.
func neverOn(ctx context.Context, recorder *sidecar.Recorder, source string, block eth.BlockID, chain *stack.Chain) error {
	recording := recorder.Of(source)
	on, err := recording.BuiltOn(ctx, sidecar.LevelSafe, block, chain.Client)
	if len(on) > 0 {
		err = errors.Join(err, fmt.Errorf("safe head %s", on[0]))
	}
	return err
}
