package sidecar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// pollInterval is the pause between two questions of a waiting.
const pollInterval = 200 * time.Millisecond

// WaitFor asks until the answer holds, and returns that answer. An answer that fails is asked for again: programs are killed
// and restarted while others wait. What is waited for must stay once it is so: what lasts shorter than the pause may
// be missed; for that there are the log and the recorder.
func WaitFor[T any](ctx context.Context, what string, ask func(context.Context) (T, error), holds func(T) bool) (T, error) {
	var zero T
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last := "nothing was asked"
	for {
		answer, err := ask(ctx)
		switch {
		case err == nil && holds(answer):
			return answer, nil
		case err == nil:
			last = fmt.Sprintf("%.400s", fmt.Sprintf("the last answer was %+v", answer))
		case !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
			last = fmt.Sprintf("the last answer was: %v", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return zero, fmt.Errorf("waited in vain for %s: %w; %s", what, context.Cause(ctx), last)
		}
	}
}

// WaitReady waits until crosscheck is ready.
func (c *Client) WaitReady(ctx context.Context) error {
	_, err := WaitFor(ctx, "crosscheck's readiness", c.Ready, func(r Readiness) bool { return r.Ready })
	return err
}

// WaitReason waits until a reason for not being ready holds this text.
func (c *Client) WaitReason(ctx context.Context, text string) (string, error) {
	found := ""
	_, err := WaitFor(ctx, fmt.Sprintf("a reason with %q", text), c.Ready, func(r Readiness) bool {
		found = r.ReasonWith(text)
		return found != ""
	})
	return found, err
}

// WaitChain waits for a state of a chain.
func (c *Client) WaitChain(ctx context.Context, chain uint64, what string, holds func(*ChainStatus) bool) (*ChainStatus, error) {
	ask := func(ctx context.Context) (*ChainStatus, error) { return c.ChainStatus(ctx, chain) }
	return WaitFor(ctx, fmt.Sprintf("%s of chain %d", what, chain), ask, holds)
}

// WaitVouched waits until crosscheck vouches for a height, or a higher one.
func (c *Client) WaitVouched(ctx context.Context, chain, height uint64) error {
	_, err := c.WaitChain(ctx, chain, fmt.Sprintf("vouched head %d", height), func(s *ChainStatus) bool {
		return s.Vouched != nil && *s.Vouched >= height
	})
	return err
}

// WaitDecided waits for the verdict of a block. A verdict is final.
func (c *Client) WaitDecided(ctx context.Context, chain uint64, hash common.Hash) (*Attestation, error) {
	ask := func(ctx context.Context) (*Attestation, error) { return c.Attestation(ctx, chain, hash) }
	return WaitFor(ctx, fmt.Sprintf("the verdict of block %s of chain %d", hash, chain), ask,
		func(a *Attestation) bool { return a != nil && a.IsDecided() })
}

// WaitUpheld waits until a block of every height from the first to the last is upheld, attested itself or an ancestor of an
// attested block: attestations that are sent while crosscheck is down are lost to it, and their blocks are ancestors.
func (c *Client) WaitUpheld(ctx context.Context, chain, from, to uint64) error {
	return c.waitHeights(ctx, chain, from, to, "upheld", NotUpheld)
}

// WaitAttested waits until a block of every height from the first to the last was attested itself, and is upheld.
func (c *Client) WaitAttested(ctx context.Context, chain, from, to uint64) error {
	return c.waitHeights(ctx, chain, from, to, "attested and upheld", NotAttested)
}

func (c *Client) waitHeights(ctx context.Context, chain, from, to uint64, state string,
	lacking func(all []Attestation, from, to uint64) []uint64,
) error {
	ask := func(ctx context.Context) ([]uint64, error) {
		all, err := c.Attestations(ctx, chain)
		return lacking(all, from, to), err
	}
	what := fmt.Sprintf("blocks %d to %d of chain %d to be all %s", from, to, chain, state)
	_, err := WaitFor(ctx, what, ask, func(heights []uint64) bool { return len(heights) == 0 })
	return err
}

// WaitMessage waits for a state of the message that a log executes. It must be one that stays.
func (c *Client) WaitMessage(ctx context.Context, block BlockKey, logIndex uint64, what string, holds func(*Message) bool) (*Message, error) {
	ask := func(ctx context.Context) (*Message, error) { return c.Message(ctx, block, logIndex) }
	return WaitFor(ctx, fmt.Sprintf("%s of the message at log %d of %s", what, logIndex, block), ask,
		func(m *Message) bool { return m != nil && holds(m) })
}

// ReasonWith is the first reason that holds this text. Empty: none does.
func (r *Readiness) ReasonWith(text string) string {
	for _, reason := range r.Reasons {
		if strings.Contains(reason, text) {
			return reason
		}
	}
	return ""
}

// NotUpheld are the heights from the first to the last of which no block is upheld, of whatever origin.
func NotUpheld(attestations []Attestation, from, to uint64) []uint64 {
	return lacking(attestations, from, to, (*Attestation).IsUpheld)
}

// NotAttested are the heights from the first to the last of which no block was attested itself, and is upheld.
func NotAttested(attestations []Attestation, from, to uint64) []uint64 {
	return lacking(attestations, from, to, func(a *Attestation) bool { return a.Origin == OriginAttested && a.IsUpheld() })
}

func lacking(attestations []Attestation, from, to uint64, counts func(*Attestation) bool) []uint64 {
	there := map[uint64]bool{}
	for i := range attestations {
		if counts(&attestations[i]) {
			there[attestations[i].Number] = true
		}
	}
	var missing []uint64
	for height := from; height <= to; height++ {
		if !there[height] {
			missing = append(missing, height)
		}
	}
	return missing
}

// NotUpheldBlocks are the blocks with a verdict other than upheld, the lowest first.
func NotUpheldBlocks(attestations []Attestation) []Attestation {
	var others []Attestation
	for _, a := range attestations {
		if a.IsDecided() && !a.IsUpheld() {
			others = append(others, a)
		}
	}
	slices.SortStableFunc(others, func(a, b Attestation) int { return int(a.Number) - int(b.Number) })
	return others
}
