package actions

import (
	"context"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/proxy"
)

type held struct {
	Chain uint64 `json:"chain"`
	Held  bool   `json:"held"`
}

type program struct {
	// Program is "supernode", or "execution" with a chain.
	Program string `json:"program"`
	Chain   uint64 `json:"chain"`
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
		on("stop", "stops a program of the stack", func(ctx context.Context, p program) error {
			if p.Program == "supernode" {
				return a.bed.Supernode.Stop()
			}
			return a.execution(p, func(e execution) error { return e.Stop() })
		}),
		on("start", "starts a program that was stopped", func(ctx context.Context, p program) error {
			if p.Program == "supernode" {
				return a.bed.Supernode.Start(ctx)
			}
			return a.execution(p, func(e execution) error { return e.Start() })
		}),
		on("fault", "fails what Crosscheck reads, while the stack itself goes on", func(_ context.Context, p fault) error {
			return a.fail(p)
		}),
	}
}

type execution interface {
	Start() error
	Stop() error
}

func (a *actions) execution(p program, do func(execution) error) error {
	if p.Program != "execution" {
		return fmt.Errorf("there is no program %q", p.Program)
	}
	chain, err := a.chain(p.Chain)
	if err != nil {
		return err
	}
	return do(chain.Execution)
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
