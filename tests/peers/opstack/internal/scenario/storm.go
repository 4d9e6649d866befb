package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/proxy"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// stormFor is how long a storm lasts. STORM_FOR names another duration.
	stormFor = 5 * time.Minute
	// stormSeed makes it. STORM_SEED names another number.
	stormSeed = 17
	// deepest is the most blocks of L1 that are replaced at once.
	deepest = 10
	// sendLimit bounds one message: its blocks may be taken away at any time.
	sendLimit = 90 * time.Second
	// calm is the longest pause between two troubles, once op-supernode goes on.
	calm = 20 * time.Second
	// patience is how long op-supernode may take to get over a trouble.
	patience = 4 * time.Minute
)

// storm is everything at once, for long.
type storm struct {
	r          *Run
	crosscheck *sidecar.Process
	random     *rand.Rand
	seed       uint64
	troubles   map[string]int

	mu     sync.Mutex
	sent   map[message.Kind]int
	failed int
}

// stormy: invalid messages, reorganisations of L1 and restarts, in an order that a seed makes.
func stormy(ctx context.Context, r *Run) error {
	lasts, seed, err := stormOrders()
	if err != nil {
		return err
	}
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, nil)
	if err != nil {
		return err
	}
	before := len(r.Stack.Rulings.All())
	s := &storm{
		r: r, crosscheck: crosscheck, seed: seed, random: rand.New(rand.NewPCG(seed, 0)),
		troubles: map[string]int{}, sent: map[message.Kind]int{},
	}
	bounded, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { s.send(bounded) })
	start := time.Now()
	err = s.trouble(ctx, bounded)
	lasted := time.Since(start)
	cancel()
	sending.Wait()
	s.told()
	r.Figure("the storm lasted", "%s of %s", lasted.Round(time.Second), lasts)
	var stopped *standstill
	if errors.As(err, &stopped) {
		r.Figure("op-supernode stopped for good", "%v", stopped)
		return s.wordSoFar(ctx, r.Stack.Rulings.All()[before:])
	}
	if err != nil {
		return err
	}
	if err := r.bothMoveOn(ctx, crosscheck.Client(), recovery); err != nil {
		return err
	}
	return s.lastWord(ctx, r.Stack.Rulings.All()[before:])
}

// standstill says that op-supernode stopped for good, by a fault of its own that it names in its log: 1.19.6 cannot undo a replacement
// below a block that it has called final. Its stack is lost; what was judged until then still counts.
type standstill struct {
	err error
}

func (s *standstill) Error() string { return s.err.Error() }

func (s *standstill) Unwrap() error { return s.err }

func stormOrders() (time.Duration, uint64, error) {
	lasts, seed := stormFor, uint64(stormSeed)
	var err error
	if text := os.Getenv("STORM_FOR"); text != "" {
		if lasts, err = time.ParseDuration(text); err != nil {
			return 0, 0, fmt.Errorf("STORM_FOR is no duration: %w", err)
		}
	}
	if text := os.Getenv("STORM_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("STORM_SEED is no number: %w", err)
		}
	}
	return lasts, seed, nil
}

// send sends one message after the other, most of them invalid, until the context ends. One whose blocks are taken away is given up.
func (s *storm) send(ctx context.Context) {
	random := rand.New(rand.NewPCG(s.seed, 1))
	members := s.r.Stack.Members()
	for ctx.Err() == nil {
		kind := message.Valid
		if random.IntN(4) > 0 {
			kind = message.Invalid[random.IntN(len(message.Invalid))]
		}
		from := random.IntN(2)
		err := within(ctx, sendLimit, func(ctx context.Context) error {
			_, err := s.r.Sender.Send(ctx, members[from].ID, members[1-from].ID, kind)
			return err
		})
		s.mu.Lock()
		if err == nil {
			s.sent[kind]++
		} else if ctx.Err() == nil {
			s.failed++
		}
		s.mu.Unlock()
	}
}

// trouble makes one trouble after the other until the second context ends, and waits after each until op-supernode goes on.
func (s *storm) trouble(ctx, bounded context.Context) error {
	troubles := s.all()
	for bounded.Err() == nil {
		start := time.Now()
		next := troubles[s.random.IntN(len(troubles))]
		if err := next.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", next.name, err)
		}
		s.troubles[next.name]++
		if err := within(ctx, patience, s.goesOn); err != nil {
			err = fmt.Errorf("op-supernode does not go on after %s: %w", next.name, err)
			if s.r.Stack.Rulings.StoppedSince(start) {
				return &standstill{err}
			}
			return err
		}
		select {
		case <-time.After(time.Duration(s.random.Int64N(int64(calm)))):
		case <-bounded.Done():
		}
	}
	return context.Cause(ctx)
}

type trouble struct {
	name string
	do   func(ctx context.Context) error
}

// all are the troubles. Half of them are reorganisations of L1.
func (s *storm) all() []trouble {
	bed := s.r.Stack
	member := func() *stack.Chain { return bed.Members()[s.random.IntN(2)] }
	reorg := trouble{"an L1 reorganisation", func(ctx context.Context) error {
		_, err := bed.L1.Reorg(ctx, 1+s.random.IntN(deepest), nil)
		return err
	}}
	return []trouble{
		reorg, reorg, reorg, reorg, reorg,
		{"a kill of Crosscheck", func(ctx context.Context) error {
			s.crosscheck.Kill()
			return s.crosscheck.Restart(ctx)
		}},
		{"a restart of op-supernode", func(ctx context.Context) error {
			return errors.Join(bed.Supernode.Stop(), bed.Supernode.Start(ctx))
		}},
		{"a restart of an execution client", func(context.Context) error {
			chain := member()
			return errors.Join(chain.Execution.Stop(), chain.Execution.Start())
		}},
		{"a batcher that holds its batches", func(ctx context.Context) error {
			chain := member()
			if err := chain.Hold(ctx); err != nil {
				return err
			}
			return errors.Join(pause(ctx, 20*time.Second), chain.Release(ctx))
		}},
		{"an L1 endpoint that answers 429", func(ctx context.Context) error {
			bed.Faults.L1.Set(proxy.TooMany())
			defer bed.Faults.L1.Set(proxy.Pass())
			return pause(ctx, 10*time.Second)
		}},
	}
}

func pause(ctx context.Context, lasts time.Duration) error {
	select {
	case <-time.After(lasts):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// goesOn waits until op-supernode's safe heads are past where the tips are now.
func (s *storm) goesOn(ctx context.Context) error {
	for _, chain := range s.r.Stack.Members() {
		current, err := sidecar.WaitFor(ctx, "op-supernode's answer", chain.Status, func(*eth.SyncStatus) bool { return true })
		if err != nil {
			return err
		}
		if err := chain.Await(ctx, stack.Safe, current.UnsafeL2.Number+1); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) told() {
	for name, times := range s.troubles {
		s.r.Figure(name, "%d times", times)
	}
	for kind, count := range s.sent {
		s.r.Figure(fmt.Sprintf("messages sent: %s", kind), "%d", count)
	}
	s.r.Figure("messages given up, for their blocks were taken away", "%d", s.failed)
}
