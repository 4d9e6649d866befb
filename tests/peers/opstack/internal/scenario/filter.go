package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/accesslist"
	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	interop "github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// filterRounds is how many messages are executed each way before lists are asked for.
	filterRounds = 3
	// randomLists is how many random lists are asked for. FILTER_LISTS names another number.
	randomLists = 2000
	// filterSeed makes the lists.
	filterSeed = 14
	// maxAsked is how many messages the designed questions are asked of.
	maxAsked = 12
)

// filterBeside: op-interop-filter and Crosscheck are asked about the same access lists.
func filterBeside(ctx context.Context, r *Run) error {
	var config sidecar.Config
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, func(c *sidecar.Config) { config = *c })
	if err != nil {
		return err
	}
	members := r.Stack.Members()
	var last *message.Executed
	for range filterRounds {
		for i := range 2 {
			if last, err = r.Sender.Send(ctx, members[i].ID, members[1-i].ID, message.Valid); err != nil {
				return err
			}
		}
	}
	if err := r.validAlike(ctx, crosscheck, last); err != nil {
		return err
	}
	world, err := r.accessLists(ctx)
	if err != nil {
		return err
	}
	theirs, ours := &accesslist.Asker{URL: r.Stack.Filter.RPC()}, &accesslist.Asker{URL: config.RPC()}
	if err := bothKnow(ctx, world, theirs, ours); err != nil {
		return err
	}
	lists, err := r.compared(ctx, world, theirs, ours)
	if err != nil {
		return err
	}
	r.Figure("access lists asked for", "%d", lists)
	return nil
}

// accessLists are the messages of all blocks that are safe on both chains now.
func (r *Run) accessLists(ctx context.Context) (*accesslist.World, error) {
	world := &accesslist.World{}
	for _, chain := range r.Stack.Members() {
		world.Members = append(world.Members, chain.ID)
		world.Window = chain.DependencySet.MessageExpiryWindow()
		safe, err := chain.Client.BlockNumber(ctx)
		if err != nil {
			return nil, err
		}
		if err := chain.Await(ctx, stack.Safe, safe); err != nil {
			return nil, err
		}
		logs, err := chain.Client.FilterLogs(ctx, ethereum.FilterQuery{})
		if err != nil {
			return nil, err
		}
		var late []interop.Message
		for i := range logs {
			timestamp := chain.Genesis.Timestamp + logs[i].BlockNumber*chain.Rollup.BlockTime
			made := initiated(chain.ID, timestamp, &logs[i])
			world.Now = max(world.Now, timestamp+10)
			if timestamp < chain.ActivationTime+chain.Rollup.BlockTime {
				world.Early = append(world.Early, made)
			} else if logs[i].BlockNumber <= safe {
				late = append(late, made)
			}
		}
		world.Messages = append(world.Messages, late[max(0, len(late)-maxAsked/2):]...)
	}
	world.Early = world.Early[:min(len(world.Early), maxAsked)]
	if len(world.Messages) == 0 || len(world.Early) == 0 {
		return nil, fmt.Errorf("there are %d messages and %d early ones", len(world.Messages), len(world.Early))
	}
	return world, nil
}

func initiated(chain, timestamp uint64, log *types.Log) interop.Message {
	return interop.Message{
		Identifier: interop.Identifier{
			Origin: log.Address, BlockNumber: log.BlockNumber, LogIndex: uint32(log.Index), Timestamp: timestamp,
			ChainID: eth.ChainIDFromUInt64(chain),
		},
		PayloadHash: crypto.Keccak256Hash(interop.LogToMessagePayload(log)),
	}
}

// bothKnow waits until both servers have verified every message.
func bothKnow(ctx context.Context, world *accesslist.World, servers ...*accesslist.Asker) error {
	for _, each := range world.Designed() {
		if each.Family != "as it is" {
			continue
		}
		for _, server := range servers {
			for {
				answer, err := server.Ask(ctx, each.Params)
				if err == nil && answer.Code == accesslist.Valid {
					break
				}
				select {
				case <-ctx.Done():
					return fmt.Errorf("%s does not come to know a message: %s, %w", server.URL, answer, errors.Join(err, ctx.Err()))
				case <-time.After(500 * time.Millisecond):
				}
			}
		}
	}
	return nil
}

// compared asks both servers everything, and holds their answers against each other.
func (r *Run) compared(ctx context.Context, world *accesslist.World, theirs, ours *accesslist.Asker) (int, error) {
	wanted := randomLists
	if text := os.Getenv("FILTER_LISTS"); text != "" {
		var err error
		if wanted, err = strconv.Atoi(text); err != nil {
			return 0, fmt.Errorf("FILTER_LISTS is no number: %w", err)
		}
	}
	var families []string
	failures, occurred := map[string]error{}, map[int]int{}
	ask := func(each accesslist.Case) error {
		if _, asked := failures[each.Family]; !asked {
			families = append(families, each.Family)
			failures[each.Family] = nil
		}
		filter, err := theirs.Ask(ctx, each.Params)
		if err != nil {
			return err
		}
		crosscheck, err := ours.Ask(ctx, each.Params)
		if err != nil {
			return err
		}
		known, ok := accesslist.Compare(each.Family, filter, crosscheck)
		if !ok && failures[each.Family] == nil {
			failures[each.Family] = fmt.Errorf("op-interop-filter says %s, Crosscheck %s, of %s", filter, crosscheck, each.Params)
		}
		if known >= 0 {
			occurred[known]++
		}
		return nil
	}
	designed := world.Designed()
	for _, each := range designed {
		if err := ask(each); err != nil {
			return 0, err
		}
	}
	random := rand.New(rand.NewPCG(filterSeed, filterSeed))
	for range wanted {
		if err := ask(world.Random(random)); err != nil {
			return 0, err
		}
	}
	slices.Sort(families)
	for _, family := range families {
		r.Check("the same answer, or one that is known to differ: "+family, failures[family])
	}
	for i, difference := range accesslist.Known {
		var failure error
		if occurred[i] == 0 {
			failure = errors.New("it does not occur any more, so it must go")
		}
		r.Check("it occurs: "+difference.What, failure)
	}
	return len(designed) + wanted, nil
}
