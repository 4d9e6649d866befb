package actions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/proxy"
	"crosscheck.dev/opstack/internal/stack"
)

type held struct {
	Chain uint64 `json:"chain"`
	Held  bool   `json:"held"`
}

type component struct {
	// Component is one of those that "components" lists, with its chain where it is of one.
	Component string `json:"component"`
	Chain     uint64 `json:"chain"`
}

type slowed struct {
	Component string `json:"component"`
	Chain     uint64 `json:"chain"`
	// DelayMS is how much later it answers, or acts where nobody asks it. Zero: no later.
	DelayMS int `json:"delay_ms"`
}

type fault struct {
	// Endpoint is what Crosscheck reads: "l1", "follow", or "execution" or "rollup" with a chain.
	Endpoint string `json:"endpoint"`
	Chain    uint64 `json:"chain"`
	// Fault is "none", "cut", "too-many-requests" or "slow".
	Fault   string `json:"fault"`
	DelayMS int    `json:"delay_ms"`
}

func (a *actions) programs() []control.Action {
	return []control.Action{
		on("hold-batcher", "makes the batcher of a chain stop posting, or post again", func(ctx context.Context, p held) error {
			chain, err := a.chain(p.Chain)
			if err != nil {
				return err
			}
			if p.Held {
				return chain.Batcher.Hold(ctx)
			}
			return chain.Batcher.Release(ctx)
		}),
		control.New("components", "lists what can be stopped, started, restarted and slowed", func(context.Context, none) (any, error) {
			return a.components(), nil
		}),
		on("stop", "stops a component of the stack", func(ctx context.Context, p component) error {
			return a.with(p, func(c stack.Component) error { return c.Stop(ctx) })
		}),
		on("start", "starts a component that was stopped", func(ctx context.Context, p component) error {
			return a.with(p, func(c stack.Component) error { return c.Start(ctx) })
		}),
		on("restart", "stops a component and starts it again", func(ctx context.Context, p component) error {
			return a.with(p, func(c stack.Component) error { return errors.Join(c.Stop(ctx), c.Start(ctx)) })
		}),
		on("slow", "has a component answer later, for everybody who asks it; or act later, where nobody does", func(_ context.Context, p slowed) error {
			if p.DelayMS < 0 {
				return fmt.Errorf("a delay is not below zero")
			}
			return a.with(component{p.Component, p.Chain}, func(c stack.Component) error {
				c.Slow(time.Duration(p.DelayMS) * time.Millisecond)
				return nil
			})
		}),
		on("fault", "fails what Crosscheck reads, while the stack itself goes on", func(_ context.Context, p fault) error {
			return a.fail(p)
		}),
	}
}

func (a *actions) with(p component, do func(stack.Component) error) error {
	found, err := a.bed.Component(p.Component, p.Chain)
	if err != nil {
		return err
	}
	return do(found)
}

// components names all components as they are given to the other actions.
func (a *actions) components() []component {
	var all []component
	for _, c := range a.bed.Components() {
		all = append(all, component{c.Name, c.Chain})
	}
	return all
}

func (a *actions) fail(p fault) error {
	endpoint, err := a.endpoint(p)
	if err != nil {
		return err
	}
	switch p.Fault {
	case "none":
		endpoint.Set(proxy.Pass())
	case "cut":
		endpoint.Set(proxy.Cut())
	case "too-many-requests":
		endpoint.Set(proxy.TooMany())
	case "slow":
		endpoint.Set(proxy.Slow(time.Duration(p.DelayMS) * time.Millisecond))
	default:
		return fmt.Errorf("there is no fault %q", p.Fault)
	}
	return nil
}

func (a *actions) endpoint(p fault) (*proxy.Proxy, error) {
	faults := a.bed.Faults
	switch p.Endpoint {
	case "l1":
		return faults.L1, nil
	case "follow":
		return faults.Follow, nil
	}
	of, known := faults.Chains[p.Chain]
	switch {
	case !known:
		return nil, fmt.Errorf("there is no chain %d", p.Chain)
	case p.Endpoint == "execution":
		return of.Execution, nil
	case p.Endpoint == "rollup":
		return of.Rollup, nil
	}
	return nil, fmt.Errorf("there is no endpoint %q", p.Endpoint)
}
