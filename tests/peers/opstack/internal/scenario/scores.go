package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"crosscheck.dev/opstack/internal/gossip"
)

// scoreInterval is how often scores are looked at. op-node reckons them anew every 15 s.
const scoreInterval = 3 * time.Second

// scores are what the sequencer's nodes think of Crosscheck.
type scores struct {
	cancel context.CancelFunc
	result chan error
	seen   int
}

// watchScores looks at the scores until it is stopped.
func (r *Run) watchScores(ctx context.Context) *scores {
	ctx, cancel := context.WithCancel(ctx)
	s := &scores{cancel: cancel, result: make(chan error, 1)}
	client := r.sidecars[len(r.sidecars)-1].Client()
	go func() {
		var worst error
		for ctx.Err() == nil {
			for _, chain := range r.Stack.Members() {
				self, err := client.Self(ctx, chain.ID)
				if err != nil {
					continue
				}
				score, err := scoreOf(ctx, chain.SequencerRPC, self.ID)
				if err != nil || !score.Known {
					continue
				}
				s.seen++
				if score.Gossip < 0 || score.Application < 0 {
					worst = fmt.Errorf("chain %d: gossip %f, application %f", chain.ID, score.Gossip, score.Application)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(scoreInterval):
			}
		}
		s.result <- worst
	}()
	return s
}

func scoreOf(ctx context.Context, url, id string) (gossip.Score, error) {
	who, err := peer.Decode(id)
	if err != nil {
		return gossip.Score{}, fmt.Errorf("cannot read the peer id %q: %w", id, err)
	}
	client, err := gossip.DialScores(ctx, url)
	if err != nil {
		return gossip.Score{}, err
	}
	defer client.Close()
	return client.Of(ctx, who)
}

// stop ends the looking, and says which score was below zero.
func (s *scores) stop() error {
	s.cancel()
	err := <-s.result
	if err == nil && s.seen == 0 {
		return fmt.Errorf("no score was ever told")
	}
	return err
}
