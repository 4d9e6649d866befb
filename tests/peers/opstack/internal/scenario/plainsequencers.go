package scenario

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/stack"
)

// plainSequencers: an op-node sequences each chain, over Lagoon's activation and past it. op-supernode verifies beside them, and is
// Crosscheck's rollup node.
func plainSequencers(ctx context.Context, r *Run) error {
	for _, chain := range r.Stack.Members() {
		r.Check(fmt.Sprintf("chain %d: an op-node sequences, and op-supernode does not", chain.ID), sequencedByNode(ctx, chain))
	}
	if err := activation(ctx, r); err != nil {
		return err
	}
	crosscheck := r.sidecars[len(r.sidecars)-1]
	client, members := crosscheck.Client(), r.Stack.Members()
	if err := r.validBothWays(ctx, crosscheck, 1); err != nil {
		return err
	}
	if err := r.upholds(ctx, client, members); err != nil {
		return err
	}
	for _, chain := range members {
		current, err := chain.Status(ctx)
		if err != nil {
			return err
		}
		r.Check(fmt.Sprintf("chain %d: our follower moves on with the messages", chain.ID), within(ctx, recovery, func(ctx context.Context) error {
			return chain.Follower.AwaitSafe(ctx, current.SafeL2.Number)
		}))
	}
	r.Check("nobody is accused for a message", accused(ctx, client, members, nil))
	return nil
}

// sequencedByNode says whether the chain's op-node is its sequencer, and op-supernode's node of it is none.
func sequencedByNode(ctx context.Context, chain *stack.Chain) error {
	for url, wanted := range map[string]bool{chain.SequencerRPC: true, chain.VerifierRPC: false} {
		client, err := rpc.DialContext(ctx, url)
		if err != nil {
			return fmt.Errorf("cannot use %s: %w", url, err)
		}
		defer client.Close()
		// One that does not sequence may say so by an error.
		var active bool
		if err := client.CallContext(ctx, &active, "admin_sequencerActive"); err != nil && wanted {
			return fmt.Errorf("cannot ask %s whether it sequences: %w", url, err)
		}
		if active != wanted {
			return fmt.Errorf("%s sequences: %t", url, active)
		}
	}
	return nil
}
