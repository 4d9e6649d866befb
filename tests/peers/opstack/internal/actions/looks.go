package actions

import (
	"context"
	"fmt"
	"slices"
	"time"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/stack"
)

// patience bounds how long an awaited thing may take.
const patience = 10 * time.Minute

type awaited struct {
	Chain uint64 `json:"chain"`
	// Level is unsafe, local-safe, safe or finalized.
	Level  stack.Level `json:"level"`
	Height uint64      `json:"height"`
}

func (a *actions) looks() []control.Action {
	return []control.Action{
		control.New("status", "says what the sequencer's rollup node of a chain says", func(ctx context.Context, p onChain) (any, error) {
			chain, err := a.chain(p.Chain)
			if err != nil {
				return nil, err
			}
			return chain.Status(ctx)
		}),
		control.New("rulings", "lists the blocks that op-supernode has invalidated", func(context.Context, none) (any, error) {
			return a.bed.Rulings.All(), nil
		}),
		on("await", "waits until a head of a chain is at a height", func(ctx context.Context, p awaited) error {
			chain, err := a.chain(p.Chain)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			if !slices.Contains(stack.Levels, p.Level) {
				return fmt.Errorf("there is no level %q", p.Level)
			}
			return chain.Await(ctx, p.Level, p.Height)
		}),
	}
}
