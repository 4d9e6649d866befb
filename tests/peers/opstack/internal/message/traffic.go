package message

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/network"
)

// maxTraffic bounds what is remembered of traffic. More is still counted.
const maxTraffic = 10_000

// Traffic sends transfers on two chains and valid messages in both directions, until it is stopped.
type Traffic struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	executed []Executed
	counts   Counts
}

// Counts are how much traffic there was.
type Counts struct {
	// Messages were executed.
	Messages int
	// Transfers are in blocks.
	Transfers int
	// Failures are what could not be sent, because a chain stood still or was replaced.
	Failures int
}

// StartTraffic sends valid messages from each chain to the other and transfers on both, again and again, with this pause after each.
// What cannot be sent is counted and no more. A message is valid when it is sent: where the block that it cites is replaced
// afterwards, because of another message, it is invalid from then on.
func (s *Sender) StartTraffic(one, two uint64, every time.Duration) *Traffic {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Traffic{cancel: cancel}
	for _, way := range [][2]uint64{{one, two}, {two, one}} {
		t.repeat(ctx, every, func() error {
			executed, err := s.Send(ctx, way[0], way[1], Valid)
			if err == nil {
				t.note(*executed)
			}
			return err
		})
		t.repeat(ctx, every, func() error {
			err := s.Transfer(ctx, way[0])
			if err == nil {
				t.count(func(counts *Counts) { counts.Transfers++ })
			}
			return err
		})
	}
	return t
}

// Transfer sends a little ether from one user to another, and waits until it is in a block.
func (s *Sender) Transfer(ctx context.Context, chain uint64) error {
	w, err := s.wallet(chain)
	if err != nil {
		return err
	}
	receipt, err := w.transact(ctx, order{to: crypto.PubkeyToAddress(network.UserKey(0).PublicKey), value: big.NewInt(1)})
	if err != nil {
		return err
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return fmt.Errorf("transfer %s on chain %d failed", receipt.TxHash, chain)
	}
	return nil
}

// repeat does something again and again.
func (t *Traffic) repeat(ctx context.Context, every time.Duration, send func() error) {
	t.done.Go(func() {
		for ctx.Err() == nil {
			if err := send(); err != nil && ctx.Err() == nil {
				t.count(func(counts *Counts) { counts.Failures++ })
			}
			select {
			case <-ctx.Done():
			case <-time.After(every):
			}
		}
	})
}

func (t *Traffic) count(change func(*Counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.counts)
}

func (t *Traffic) note(executed Executed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Messages++
	if len(t.executed) < maxTraffic {
		t.executed = append(t.executed, executed)
	}
}

// Executed are the messages so far.
func (t *Traffic) Executed() []Executed {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Executed(nil), t.executed...)
}

// Counts are how much traffic there was so far.
func (t *Traffic) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// Stop ends the traffic, and waits for what is on its way to be given up. It may be called again.
func (t *Traffic) Stop() {
	t.cancel()
	t.done.Wait()
}
