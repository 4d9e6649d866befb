package node

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Ruling is op-supernode's judgement that a block is invalid.
type Ruling struct {
	Chain  uint64
	Number uint64
	Hash   common.Hash
	At     time.Time
}

// denyLine is what op-supernode 1.19.6 logs when it has judged, whether or not the block still stands then.
const denyLine = "added block to deny list"

// overFinal is what op-supernode 1.19.6 says when it cannot undo a replacement: it never goes on after that.
const overFinal = "cannot rewind over finalized head"

// maxRulings bounds what is kept: far more than a test makes.
const maxRulings = 10_000

// Rulings collects op-supernode's judgements from its log, which is the only place that names the block and the time.
type Rulings struct {
	mu   sync.Mutex
	all  []Ruling
	wake chan struct{}
	// stopped is when op-supernode said last that it cannot go on.
	stopped time.Time
}

// NewRulings is empty.
func NewRulings() *Rulings {
	return &Rulings{wake: make(chan struct{})}
}

// Watch is a logger that notes rulings, and passes everything on to another.
func (r *Rulings) Watch(logger log.Logger) log.Logger {
	return log.NewLogger(&rulingHandler{Handler: logger.Handler(), rulings: r})
}

// All are the rulings so far, in order.
func (r *Rulings) All() []Ruling {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Ruling(nil), r.all...)
}

// Find is the ruling about a block. False: there is none yet.
func (r *Rulings) Find(chain uint64, hash common.Hash) (Ruling, bool) {
	for _, ruling := range r.All() {
		if ruling.Chain == chain && ruling.Hash == hash {
			return ruling, true
		}
	}
	return Ruling{}, false
}

// Await waits for the ruling about a block.
func (r *Rulings) Await(ctx context.Context, chain uint64, hash common.Hash) (Ruling, error) {
	for {
		r.mu.Lock()
		wake := r.wake
		r.mu.Unlock()
		if ruling, found := r.Find(chain, hash); found {
			return ruling, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return Ruling{}, ctx.Err()
		}
	}
}

// StoppedSince says whether op-supernode has said since then that it cannot undo a replacement, and so stopped for good by itself.
func (r *Rulings) StoppedSince(since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.stopped.Before(since) && !r.stopped.IsZero()
}

func (r *Rulings) stop(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = at
}

func (r *Rulings) add(ruling Ruling) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A replacement that failed is tried again, with the same line.
	again := func(other Ruling) bool { return other.Chain == ruling.Chain && other.Hash == ruling.Hash }
	if len(r.all) >= maxRulings || slices.ContainsFunc(r.all, again) {
		return
	}
	r.all = append(r.all, ruling)
	close(r.wake)
	r.wake = make(chan struct{})
}

type rulingHandler struct {
	slog.Handler
	rulings *Rulings
}

// Enabled takes rulings even where the log leaves their level out.
func (h *rulingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.Handler.Enabled(ctx, level)
}

func (h *rulingHandler) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == denyLine {
		h.rulings.add(readRuling(record))
	}
	if record.Level >= slog.LevelError && says(record, overFinal) {
		h.rulings.stop(record.Time)
	}
	if !h.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

// says is whether a value of a log line has this text.
func says(record slog.Record, text string) bool {
	found := false
	record.Attrs(func(attr slog.Attr) bool {
		found = strings.Contains(attr.Value.String(), text)
		return !found
	})
	return found
}

func readRuling(record slog.Record) Ruling {
	ruling := Ruling{At: record.Time}
	record.Attrs(func(attr slog.Attr) bool {
		switch value := attr.Value.Any().(type) {
		case eth.ChainID:
			ruling.Chain = eth.EvilChainIDToUInt64(value)
		case eth.BlockID:
			if attr.Key == "invalidatedBlock" {
				ruling.Number, ruling.Hash = value.Number, value.Hash
			}
		}
		return true
	})
	return ruling
}

func (h *rulingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &rulingHandler{Handler: h.Handler.WithAttrs(attrs), rulings: h.rulings}
}

func (h *rulingHandler) WithGroup(name string) slog.Handler {
	return &rulingHandler{Handler: h.Handler.WithGroup(name), rulings: h.rulings}
}
