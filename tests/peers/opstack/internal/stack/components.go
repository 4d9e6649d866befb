package stack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/node"
)

// Component is a part of the stack that can be stopped, started again and slowed down by itself.
type Component struct {
	// Name is what it is called. Chain is zero where it is of no one chain.
	Name  string
	Chain uint64
	// Start does nothing where it runs, Stop nothing where it does not.
	Start func(context.Context) error
	Stop  func(context.Context) error
	// Slow has it answer later by this, or act later where nobody asks it. Zero: at once.
	Slow func(time.Duration)
}

// The names of components. Those of a chain's side nodes are the nodes' roles, with "-execution" for the execution client.
const (
	ComponentL1        = "l1"
	ComponentSupernode = "supernode"
	ComponentFilter    = "filter"
	ComponentMonitor   = "monitor"
	ComponentExecution = "execution"
	ComponentSequencer = "sequencer"
	ComponentBatcher   = "batcher"
	ComponentAttester  = "attester"
	ComponentBystander = "bystander"
)

// Components are all that this stack is made of. Crosscheck is none of them: whoever started it stops it.
func (s *Stack) Components() []Component {
	all := []Component{{Name: ComponentL1, Start: s.L1.Continue, Stop: s.L1.Halt, Slow: s.L1.Slow}}
	if s.Supernode != nil {
		all = append(all, Component{
			Name: ComponentSupernode, Start: s.Supernode.Start, Stop: plain(s.Supernode.Stop), Slow: s.Supernode.Slow,
		})
	}
	if s.Filter != nil {
		all = append(all, Component{Name: ComponentFilter, Start: s.Filter.Resume, Stop: plain(s.Filter.Stop), Slow: s.filter.Slow})
	}
	if s.Monitor != nil {
		all = append(all, Component{Name: ComponentMonitor, Start: s.Monitor.Start, Stop: plain(s.Monitor.Stop), Slow: s.Monitor.Slow})
	}
	for _, chain := range s.Chains {
		for _, component := range s.componentsOf(chain) {
			component.Chain = chain.ID
			all = append(all, component)
		}
	}
	return all
}

func (s *Stack) componentsOf(chain *Chain) []Component {
	parts := []Component{
		executionComponent(ComponentExecution, chain.Execution),
		{Name: ComponentBatcher, Start: chain.Batcher.Start, Stop: plain(chain.Batcher.Stop), Slow: chain.Batcher.Slow},
		switchComponent(ComponentAttester, chain.Peers.Attester),
		switchComponent(ComponentBystander, chain.Peers.Bystander),
	}
	if chain.Verifier != nil {
		parts = append(parts, executionComponent(roleVerifier+"-execution", chain.Verifier))
	}
	if chain.solo != nil {
		parts = append(parts, rollupComponent(ComponentSequencer, chain.solo))
	}
	for _, side := range s.sides(chain) {
		pair := *side.pair
		parts = append(parts, rollupComponent(side.role, pair.Rollup), executionComponent(side.role+"-execution", pair.Execution))
	}
	if kona := chain.Kona; kona != nil {
		parts = append(parts, Component{Name: "kona", Start: plain(kona.Rollup.Resume), Stop: plain(kona.Rollup.Stop), Slow: kona.Rollup.Slow},
			executionComponent("kona-execution", kona.Execution))
	}
	return parts
}

// Component finds a component by its name, and its chain where it is of one.
func (s *Stack) Component(name string, chain uint64) (Component, error) {
	all := s.Components()
	for _, component := range all {
		if component.Name == name && component.Chain == chain {
			return component, nil
		}
	}
	var known []string
	for _, component := range all {
		known = append(known, component.String())
	}
	slices.Sort(known)
	asked := Component{Name: name, Chain: chain}
	return Component{}, fmt.Errorf("there is no component %q; there are %v", asked.String(), known)
}

func (c *Component) String() string {
	if c.Chain == 0 {
		return c.Name
	}
	return fmt.Sprintf("%s of %d", c.Name, c.Chain)
}

func executionComponent(name string, execution *node.Execution) Component {
	return Component{Name: name, Start: plain(execution.Start), Stop: plain(execution.Stop), Slow: execution.Slow}
}

func rollupComponent(name string, rollup *node.Rollup) Component {
	return Component{Name: name, Start: plain(rollup.Start), Stop: plain(rollup.Stop), Slow: rollup.Slow}
}

// switched is a gossip peer: stopped, it stays connected and says nothing.
type switched interface {
	Switch(on bool)
	Slow(delay time.Duration)
}

func switchComponent(name string, peer switched) Component {
	return Component{
		Name:  name,
		Start: func(context.Context) error { peer.Switch(true); return nil },
		Stop:  func(context.Context) error { peer.Switch(false); return nil },
		Slow:  peer.Slow,
	}
}

func plain(step func() error) func(context.Context) error {
	return func(context.Context) error { return step() }
}
