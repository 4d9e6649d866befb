// Package actions is what can be done to a stack from outside, by people and by other programs. Each action does one thing that
// the stack can do, and answers once it is done. It keeps no state.
package actions

import (
	"context"
	"fmt"
	"slices"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/stack"
)

// All are the actions on a stack.
func All(bed *stack.Stack) []control.Action {
	a := &actions{bed: bed, sender: message.NewSender(chainsOf(bed)...)}
	return slices.Concat(a.messages(), a.l1(), a.gossip(), a.programs(), a.looks())
}

type actions struct {
	bed    *stack.Stack
	sender *message.Sender
}

func chainsOf(bed *stack.Stack) []*message.Chain {
	var chains []*message.Chain
	for _, chain := range bed.Chains {
		chains = append(chains, &message.Chain{Chain: chain.Chain, Client: chain.Client})
	}
	return chains
}

// none is for actions without parameters.
type none struct{}

// onChain is for actions on one chain.
type onChain struct {
	Chain uint64 `json:"chain"`
}

// done is the answer of an action that has nothing to tell.
type done struct {
	Done bool `json:"done"`
}

func (a *actions) chain(id uint64) (*stack.Chain, error) {
	chain := a.bed.Chain(id)
	if chain == nil {
		return nil, fmt.Errorf("there is no chain %d", id)
	}
	return chain, nil
}

// on makes an action that does something to one chain, and has nothing to tell.
func on[P any](name, does string, run func(context.Context, P) error) control.Action {
	return control.New(name, does, func(ctx context.Context, parameters P) (any, error) {
		return done{Done: true}, run(ctx, parameters)
	})
}
