package stack

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// askAgain is how long it takes until something is asked again that does not answer yet.
const askAgain = 100 * time.Millisecond

// answers waits until a rollup node answers.
func answers(ctx context.Context, url string) error {
	client, err := rpc.DialContext(ctx, url)
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", url, err)
	}
	defer client.Close()
	for {
		var config map[string]any
		err := client.CallContext(ctx, &config, "optimism_rollupConfig")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", url, err)
		case <-time.After(askAgain):
		}
	}
}
