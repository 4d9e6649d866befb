package scenario

import (
	"context"
	"fmt"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// loneChain: one Crosscheck watches the lone chain from its first block on, another the two members of the common set. A message
// that crosses from the one set to the other is valid for nobody.
func loneChain(ctx context.Context, r *Run) error {
	lone := r.lone()
	lone.Peers.Attester.Switch(true)
	alone, err := r.loneSidecar(ctx)
	if err != nil {
		return err
	}
	if err := r.crossLoneActivation(ctx, alone.Client(), lone); err != nil {
		return err
	}
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	members := r.Stack.Members()
	executed, err := r.Sender.Send(ctx, lone.ID, members[0].ID, message.Valid)
	if err != nil {
		return err
	}
	// Nothing is wrong with it but where it comes from.
	executed.Kind = message.UnknownChain
	r.judgedAlike(ctx, crosscheck, executed)
	r.lead()
	if err := r.upholds(ctx, crosscheck.Client(), members); err != nil {
		return err
	}
	r.Check("the members' Crosscheck accuses nobody but that message", accused(ctx, crosscheck.Client(), members, executed))
	r.Check("the lone chain's Crosscheck accuses nobody", accused(ctx, alone.Client(), []*stack.Chain{lone}, nil))
	r.Check("the lone chain's Crosscheck is ready", within(ctx, settling, alone.Client().WaitReady))
	return nil
}

// lone is the chain with a dependency set of its own.
func (r *Run) lone() *stack.Chain {
	for _, chain := range r.Stack.Chains {
		if chain.Lone {
			return chain
		}
	}
	return nil
}

func (r *Run) loneSidecar(ctx context.Context) (*sidecar.Process, error) {
	config, err := r.Stack.LoneConfig(r.name + "-alone")
	if err != nil {
		return nil, err
	}
	_, process, err := r.start(ctx, config)
	return process, err
}

func (r *Run) crossLoneActivation(ctx context.Context, client *sidecar.Client, lone *stack.Chain) error {
	height := lone.ActivationHeight()
	last := height + beyond
	if err := client.WaitUpheld(ctx, lone.ID, last, last); err != nil {
		return err
	}
	name := func(text string) string { return fmt.Sprintf("the lone chain: %s", text) }
	r.Check(name("every block before the activation block is upheld"), upheld(ctx, client, lone.ID, 1, height-1))
	r.Check(name("every block after that is upheld"), upheld(ctx, client, lone.ID, height+2, last))
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	late := together(
		func() error { return client.WaitUpheld(ctx, lone.ID, height, height+1) },
		func() error { return client.WaitVouched(ctx, lone.ID, last) },
	)
	r.Check(name("the activation block and its child are upheld"), late[0])
	r.Check(name("the vouched head passes the activation block"), late[1])
	return nil
}
