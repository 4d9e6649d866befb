package scenario

import (
	"errors"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/stack"
)

// allowed is how much later than op-supernode's word Crosscheck's may be: two block times.
func allowed(chain *stack.Chain) time.Duration {
	return 2 * time.Duration(chain.Rollup.BlockTime) * time.Second
}

// followerPoll is how often an op-node looks at its source: op-node 1.19.6 has two block times built in, and no option for it.
func followerPoll(chain *stack.Chain) time.Duration {
	return 2 * time.Duration(chain.Rollup.BlockTime) * time.Second
}

// atOnce is for what Crosscheck serves, held against what op-supernode says.
func atOnce(chain *stack.Chain, ours, theirs time.Time) error {
	return noLater(ours, theirs, allowed(chain))
}

// inStep is for our follower, held against the control follower: each looks at times of its own, so that one poll more may pass.
func inStep(chain *stack.Chain, ours, theirs time.Time) error {
	return noLater(ours, theirs, allowed(chain)+followerPoll(chain))
}

func noLater(ours, theirs time.Time, limit time.Duration) error {
	if ours.IsZero() || theirs.IsZero() {
		return errors.New("it was not seen on both sides")
	}
	if behind := ours.Sub(theirs); behind > limit {
		return fmt.Errorf("%s behind, and %s is allowed", behind.Round(10*time.Millisecond), limit)
	}
	return nil
}
