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
// What cannot be sent is counted and no more. A message cites a block that is cross-safe, and so it stays valid: one that cites a
// block which is replaced afterwards would become invalid itself, and take others along. Without safe blocks there are no messages.
// The block in which a message is executed may still be replaced, because of another message in it or before it.
func (s *Sender) StartTraffic(one, two uint64, every time.Duration) *Traffic {
	ctx, cancel := context.WithCancel(context.Background())
	t := &Traffic{cancel: cancel}
	for _, way := range [][2]uint64{{one, two}, {two, one}} {
		t.repeat(ctx, every, func() error {
			executed, err := s.sendSettled(ctx, way[0], way[1])
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

// sendSettled executes a message that cites a cross-safe block.
func (s *Sender) sendSettled(ctx context.Context, from, to uint64) (*Executed, error) {
	source, target, err := s.pair(ctx, from, to)
	if err != nil {
		return nil, err
	}
	message, block, err := source.initiate(ctx)
	if err != nil {
		return nil, err
	}
	id := message.Identifier
	if err := source.awaitSafe(ctx, id.BlockNumber, block); err != nil {
		return nil, err
	}
	if err := target.awaitHead(ctx, target.heightAt(id.Timestamp)); err != nil {
		return nil, err
	}
	return s.Execute(ctx, to, Valid, *message)
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
