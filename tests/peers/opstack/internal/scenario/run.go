package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// Scenario is one situation.
type Scenario struct {
	Name string
	// Shows says what it is about.
	Shows string
	// Stack is what it needs. Scenarios that need the same share one stack, one after the other.
	Stack stack.Options
	// Fresh asks for a stack that no other scenario has used.
	Fresh bool
	// CI says that it is run with every change.
	CI bool
	// ByHand says that it is run only when it is named.
	ByHand bool
	// Limit bounds how long it may take, generously.
	Limit time.Duration

	run func(ctx context.Context, r *Run) error
	// killed asks for Crosscheck to be killed in the midst of it.
	killed bool
}

// Run is one run of a scenario.
type Run struct {
	*Sheet
	Stack  *stack.Stack
	Sender *message.Sender

	name   string
	binary string
	killed bool
	// aftermath is how long Crosscheck is watched after a replacement that its rollup node takes no part in.
	aftermath time.Duration
	sidecars  []*sidecar.Process
	releases  []context.CancelFunc
	// leads are by how much each invalid message was proven before op-supernode judged it.
	leads []time.Duration
	// executed are the messages that op-interop-mon was to judge as well.
	executed []*message.Executed
}

// ended is the check that a scenario came to its end.
const ended = "the scenario came to its end"

// do runs the scenario on the stack of a suite.
func (s *Scenario) do(ctx context.Context, suite *Suite) *Sheet {
	ctx, cancel := context.WithTimeout(ctx, s.Limit+suite.Aftermath+suite.Longer)
	defer cancel()
	bed := suite.bed
	r := &Run{
		Sheet: newSheet(suite.Print), Stack: bed, name: s.Name, binary: suite.Binary, killed: s.killed,
		aftermath: cmp.Or(suite.Aftermath, time.Minute),
	}
	var chains []*message.Chain
	for _, chain := range bed.Chains {
		chains = append(chains, &message.Chain{Chain: chain.Chain, Client: chain.Client})
	}
	r.Sender = message.NewSender(chains...)
	r.Sender.Settled = func(ctx context.Context, chain, height uint64) error {
		return bed.Chain(chain).Await(ctx, stack.Safe, height)
	}
	err := s.run(ctx, r)
	for _, process := range r.sidecars {
		// Whatever the scenario did with it: it must not have ended by itself.
		err = errors.Join(err, process.Err())
		process.Kill()
	}
	for _, release := range r.releases {
		release()
	}
	r.quiet()
	r.Check(ended, err)
	return r.Sheet
}

// quiet switches off what a scenario switched on, for the next one on the same stack.
func (r *Run) quiet() {
	for _, chain := range r.Stack.Chains {
		chain.Peers.Attester.Switch(false)
		chain.Peers.Bystander.Switch(false)
	}
	r.Stack.Faults.Pass()
}

// Attest switches the attesters of all members on or off.
func (r *Run) Attest(on bool) {
	for _, chain := range r.Stack.Members() {
		chain.Peers.Attester.Switch(on)
	}
}

// Sidecar starts a Crosscheck with an empty ledger, and attests every block to it. The context that it gives ends when Crosscheck
// ends by itself.
func (r *Run) Sidecar(ctx context.Context, node stack.RollupNode, change func(*sidecar.Config)) (context.Context, *sidecar.Process, error) {
	config, err := r.Stack.SidecarConfig(fmt.Sprintf("%s-%d", r.name, len(r.sidecars)+1), node)
	if err != nil {
		return ctx, nil, err
	}
	if change != nil {
		change(&config)
	}
	return r.start(ctx, config)
}

func (r *Run) start(ctx context.Context, config sidecar.Config) (context.Context, *sidecar.Process, error) {
	process, err := sidecar.Start(ctx, r.binary, config)
	if err != nil {
		return ctx, nil, err
	}
	r.sidecars = append(r.sidecars, process)
	while, release := process.While(ctx)
	r.releases = append(r.releases, release)
	return while, process, nil
}

// ActivationFinal waits until Lagoon's activation block and its child are final on all members.
func (r *Run) ActivationFinal(ctx context.Context) error {
	for _, chain := range r.Stack.Members() {
		height := chain.ActivationHeight() + 1
		if err := chain.Await(ctx, stack.Finalized, height); err != nil {
			return fmt.Errorf("the activation of chain %d does not become final: %w", chain.ID, err)
		}
	}
	return nil
}
