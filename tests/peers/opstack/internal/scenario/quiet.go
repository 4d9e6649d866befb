package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/proxy"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

const (
	// quietBlocks is how many blocks of a chain are looked at.
	quietBlocks = 60
	// quietMessages is how many valid messages are sent meanwhile, each way.
	quietMessages = 6
	// closeLook is the pause between two questions for a head.
	closeLook = 50 * time.Millisecond

	supernode = "op-supernode"
)

// quiet: nothing is wrong. What Crosscheck asks for is counted, and how far behind op-supernode it serves is measured.
func quiet(ctx context.Context, r *Run) error {
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	client, members := crosscheck.Client(), r.Stack.Members()
	chain := members[1]
	recorder := sidecar.RecordEvery(closeLook,
		sidecar.Source{Name: served, URL: r.Stack.FollowURL(chain.ID)},
		sidecar.Source{Name: supernode, URL: chain.VerifierRPC},
		sidecar.Source{Name: follower, URL: chain.Follower.Rollup.RPC()},
		sidecar.Source{Name: control, URL: chain.Control.Rollup.RPC()},
	)
	defer recorder.Stop()
	first, err := chain.Client.BlockNumber(ctx)
	if err != nil {
		return err
	}
	before := r.counts()
	for range quietMessages {
		for i := range 2 {
			if _, err := r.Sender.Send(ctx, members[i].ID, members[1-i].ID, message.Valid); err != nil {
				return err
			}
		}
	}
	for _, chain := range members {
		if err := chain.Await(ctx, stack.Safe, first+quietBlocks); err != nil {
			return err
		}
		if err := client.WaitVouched(ctx, chain.ID, first+quietBlocks); err != nil {
			return err
		}
	}
	last, err := chain.Client.BlockNumber(ctx)
	if err != nil {
		return err
	}
	asked := r.counts()
	recorder.Stop()

	for name, counts := range asked {
		r.Figure("requests for each block of a chain, to "+name, "%s", perBlock(counts, before[name], last-first))
	}
	for _, source := range []string{served, follower, control} {
		behind(r, recorder, source, first)
	}
	r.nothingRefused(ctx, client)
	if err := r.nobodyAccused(ctx, client); err != nil {
		return err
	}
	for _, chain := range members {
		r.Check(fmt.Sprintf("chain %d: every block is upheld", chain.ID), upheld(ctx, client, chain.ID, first, first+quietBlocks))
	}
	return nil
}

// counts are the requests to each endpoint so far, by method.
func (r *Run) counts() map[string]map[string]uint64 {
	counts := map[string]map[string]uint64{"L1": r.Stack.Faults.L1.Counts()}
	for id, faults := range r.Stack.Faults.Chains {
		for name, endpoint := range map[string]*proxy.Proxy{"execution": faults.Execution, "rollup": faults.Rollup} {
			counts[fmt.Sprintf("the %s client of chain %d", name, id)] = endpoint.Counts()
		}
	}
	return counts
}

// perBlock tells how many requests there were for each block, in all and by method, the most frequent first.
func perBlock(now, before map[string]uint64, blocks uint64) string {
	type method struct {
		name  string
		times float64
	}
	var methods []method
	var all float64
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if times := float64(now[name]-before[name]) / float64(blocks); times > 0 {
			methods = append(methods, method{name, times})
			all += times
		}
	}
	slices.SortStableFunc(methods, func(a, b method) int {
		switch {
		case a.times > b.times:
			return -1
		case a.times < b.times:
			return 1
		default:
			return 0
		}
	})
	parts := []string{fmt.Sprintf("%.1f", all)}
	for _, method := range methods {
		parts = append(parts, fmt.Sprintf("%s %.1f", method.name, method.times))
	}
	return strings.Join(parts, ", ")
}

// behind tells how long after op-supernode a source had each safe head of op-supernode's.
func behind(r *Run, recorder *sidecar.Recorder, source string, from uint64) {
	theirs, ours := recorder.Of(supernode), recorder.Of(source)
	var delays []time.Duration
	for _, head := range theirs.Passed(sidecar.LevelSafe, from+1) {
		if at := ours.Reached(sidecar.LevelSafe, head.Number); !at.IsZero() {
			delays = append(delays, at.Sub(head.First))
		}
	}
	if len(delays) == 0 {
		return
	}
	slices.Sort(delays)
	r.Delay("behind op-supernode: the safe head of "+source, "median %.2f s, at most %.2f s, of %d heads",
		delays[len(delays)/2].Seconds(), delays[len(delays)-1].Seconds(), len(delays))
}
