package message

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosscheck.dev/opstack/internal/contracts"
)

// ErrMisplaced says that two transactions did not get into blocks of one timestamp, as they had to, and that a message was executed
// all the same. It is returned with the error, and may be invalid for another reason than its kind's.
var ErrMisplaced = errors.New("the two transactions were not placed in blocks of one timestamp")

// sameNext waits until both chains have the same fresh head, and gives the height after it: blocks of one height have one timestamp.
func sameNext(ctx context.Context, a, b *wallet) (uint64, error) {
	for {
		head, err := a.freshHead(ctx)
		if err != nil {
			return 0, err
		}
		// Half of a block's time is left for the transactions. Otherwise it is tried with the next block.
		half, cancel := context.WithTimeout(ctx, time.Duration(a.Rollup.BlockTime)*time.Second/2)
		late := b.awaitHead(half, head)
		cancel()
		if late != nil {
			continue
		}
		first, errFirst := a.Client.BlockNumber(ctx)
		second, errSecond := b.Client.BlockNumber(ctx)
		if errors.Join(errFirst, errSecond) == nil && first == head && second == head {
			return head + 1, nil
		}
	}
}

// SendSameTimestamp initiates a message in a block of one chain, and executes it in the block of the same timestamp of another. It
// tries again as long as nothing was executed.
func (s *Sender) SendSameTimestamp(ctx context.Context, from, to uint64) (*Executed, error) {
	source, target, err := s.pair(ctx, from, to)
	if err != nil {
		return nil, err
	}
	for range attempts {
		executed, err := sendSameTimestamp(ctx, source, target)
		if !errors.Is(err, errTooLate) {
			return executed, err
		}
	}
	return nil, fmt.Errorf("chains %d and %d, %d times: %w", from, to, attempts, errTooLate)
}

func sendSameTimestamp(ctx context.Context, source, target *wallet) (*Executed, error) {
	block, err := sameNext(ctx, source, target)
	if err != nil {
		return nil, err
	}
	log := predict(source.Chain, block, 0)
	type made struct {
		placed bool
		err    error
	}
	initiating := make(chan made, 1)
	go func() {
		placed, err := log.emit(ctx, source)
		initiating <- made{placed, err}
	}()
	executed, failed := execute(ctx, target, execution{block: block, kind: SameTimestamp, message: log.message, first: true})
	initiated := <-initiating
	switch {
	case failed != nil:
		return nil, errors.Join(failed, initiated.err)
	case initiated.err != nil:
		return executed, initiated.err
	case !initiated.placed || executed.Number != block:
		return executed, fmt.Errorf("block %d: %w", block, ErrMisplaced)
	}
	return executed, nil
}

// SendCycle executes a message on each of two chains, in blocks of one timestamp, that cites a log which the other makes only after
// it has executed the first. It tries again as long as nothing was executed. Of two that were misplaced, one may be missing.
func (s *Sender) SendCycle(ctx context.Context, one, two uint64) ([2]*Executed, error) {
	var executed [2]*Executed
	first, second, err := s.pair(ctx, one, two)
	if err != nil {
		return executed, err
	}
	for range attempts {
		executed, err = sendCycle(ctx, [2]*wallet{first, second})
		if !errors.Is(err, errTooLate) {
			return executed, err
		}
	}
	return executed, fmt.Errorf("chains %d and %d, %d times: %w", one, two, attempts, errTooLate)
}

func sendCycle(ctx context.Context, chains [2]*wallet) ([2]*Executed, error) {
	var executed [2]*Executed
	block, err := sameNext(ctx, chains[0], chains[1])
	if err != nil {
		return executed, err
	}
	// The inbox's log comes first in each transaction, the emitter's second.
	logs := [2]predicted{predict(chains[0].Chain, block, 1), predict(chains[1].Chain, block, 1)}
	var failures [2]error
	done := make(chan struct{}, len(chains))
	for i, w := range chains {
		go func() {
			executed[i], failures[i] = execute(ctx, w, execution{
				block: block, kind: Cycle, message: logs[1-i].message, first: true, after: []contracts.Call{logs[i].call()},
			})
			done <- struct{}{}
		}()
	}
	for range chains {
		<-done
	}
	return executed, placement(block, executed, failures)
}

// placement says whether both messages of a cycle are where they had to be.
func placement(block uint64, executed [2]*Executed, failures [2]error) error {
	late := 0
	for i, failure := range failures {
		switch {
		case errors.Is(failure, errTooLate):
			late++
		case failure != nil:
			return errors.Join(failures[:]...)
		case executed[i].Number != block || executed[i].LogIndex != 0:
			return fmt.Errorf("block %d, and not %d at its beginning: %w", executed[i].Number, block, ErrMisplaced)
		}
	}
	switch late {
	case 0:
		return nil
	case len(failures):
		return errTooLate
	default:
		return fmt.Errorf("only one in block %d: %w", block, ErrMisplaced)
	}
}
