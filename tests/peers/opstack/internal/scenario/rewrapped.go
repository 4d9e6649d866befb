package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"crosscheck.dev/opstack/internal/gossip"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// rewrappedBlocks is how many blocks are rewrapped, the same number in each form.
const rewrappedBlocks = 24

// race is a race that an attacker without a key always wins: op-node has each block from it first, in another form. The same block
// comes from an honest peer as soon as op-node has taken it, or has had it to judge. Crosscheck hears of blocks from op-node alone.
type race struct {
	chain            *stack.Chain
	verifier         *gossip.Verifier
	attacker, honest *gossip.Host
	heard            *gossip.Listener
	// sent counts the blocks in each form that op-node must take so, and taken those that it took so.
	sent, taken map[string]int
}

// rewrapped: whoever is quicker than the mesh, and has no key, keeps no block from Crosscheck.
func rewrapped(ctx context.Context, r *Run) (err error) {
	chain := r.Stack.Members()[0]
	race := &race{chain: chain, sent: map[string]int{}, taken: map[string]int{}}
	defer func() { err = errors.Join(err, race.stop()) }()
	if err := race.start(ctx, r.Stack); err != nil {
		return err
	}
	address, err := race.verifier.Multiaddr()
	if err != nil {
		return err
	}
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, func(config *sidecar.Config) {
		for i := range config.Chains {
			if config.Chains[i].ID == chain.ID {
				config.Chains[i].StaticPeers = []string{address, chain.Peers.AttesterAddress}
			}
		}
	})
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	id, err := race.meets(ctx, client)
	if err != nil {
		return err
	}
	last, err := race.run(ctx)
	if err != nil {
		return err
	}
	for _, form := range gossip.Forms() {
		r.Figure("blocks that op-node had first as: "+form.Name, "%d, and took %d", rewrappedBlocks/len(gossip.Forms()), race.taken[form.Name])
		r.Check("op-node takes a block in a form that it reads: "+form.Name, expect(race.sent[form.Name], race.taken[form.Name]))
	}
	_, err = client.WaitChain(ctx, chain.ID, "the last block", func(s *sidecar.ChainStatus) bool {
		return s.Gossiped != nil && *s.Gossiped >= last
	})
	r.Check("the last block arrives at Crosscheck", err)
	r.Check("every block that op-node takes arrives at Crosscheck", within(ctx, settling, func(ctx context.Context) error {
		taken := len(race.verifier.Taken())
		// The metrics are reckoned anew every few seconds.
		arrived, err := sidecar.WaitFor(ctx, "all blocks", func(ctx context.Context) (int, error) {
			return accepted(ctx, client, chain.ID)
		}, func(arrived int) bool { return arrived >= taken })
		return cmp.Or(err, expect(taken, arrived))
	}))
	r.Check("nothing is held against a peer of Crosscheck", unblamed(ctx, client, chain.ID))
	score, err := race.verifier.Score(id)
	if err == nil && score < 0 {
		err = fmt.Errorf("%f", score)
	}
	r.Check("op-node scores Crosscheck no lower than zero", err)
	return nil
}

// start brings up op-node's peer, the attacker and the honest peer. Both hear the sequencer, and send to op-node's peer.
func (c *race) start(ctx context.Context, bed *stack.Stack) error {
	logger, err := bed.Log("gossip-rewrapped")
	if err != nil {
		return err
	}
	signer := crypto.PubkeyToAddress(c.chain.SequencerKey.PublicKey)
	if c.verifier, err = gossip.NewVerifier(c.chain.Rollup, signer, "verifier", logger); err != nil {
		return err
	}
	address, err := c.verifier.Multiaddr()
	if err != nil {
		return err
	}
	for name, host := range map[string]**gossip.Host{"attacker": &c.attacker, "honest": &c.honest} {
		if *host, err = gossip.NewHost(c.chain.Rollup, name, logger); err != nil {
			return err
		}
		if err := (*host).Connect(ctx, address); err != nil {
			return err
		}
		if err := (*host).AwaitListener(ctx, gossip.BlocksV4, c.verifier.ID()); err != nil {
			return err
		}
	}
	if c.heard, err = gossip.Listen(c.attacker, gossip.BlocksV4); err != nil {
		return err
	}
	return c.attacker.Connect(ctx, c.chain.Sequencer.Multiaddr())
}

// meets waits until Crosscheck listens to op-node's peer, and gives Crosscheck's peer id.
func (c *race) meets(ctx context.Context, client *sidecar.Client) (peer.ID, error) {
	self, err := client.Self(ctx, c.chain.ID)
	if err != nil {
		return "", err
	}
	id, err := peer.Decode(self.ID)
	if err != nil {
		return "", fmt.Errorf("cannot read the peer id %q: %w", self.ID, err)
	}
	return id, c.verifier.AwaitListener(ctx, id)
}

// run has each new block of the sequencer come to op-node twice, and gives the height of the last.
func (c *race) run(ctx context.Context) (uint64, error) {
	forms, began := gossip.Forms(), time.Now()
	var last uint64
	for i := range rewrappedBlocks {
		frame, err := c.heard.Await(ctx, func(frame gossip.Frame) bool { return frame.At.After(began) })
		if err != nil {
			return 0, err
		}
		began = frame.At
		opened, err := frame.Open()
		if err != nil {
			return 0, err
		}
		last = uint64(opened.Envelope.ExecutionPayload.BlockNumber)
		if err := c.twice(ctx, forms[i%len(forms)], frame, opened); err != nil {
			return 0, err
		}
	}
	return last, nil
}

// twice sends a block in a form, and then as it is.
func (c *race) twice(ctx context.Context, form gossip.Form, frame gossip.Frame, opened *gossip.Opened) error {
	hash := opened.Envelope.ExecutionPayload.BlockHash
	data, err := form.Rewrap(frame.Data)
	if err != nil {
		return err
	}
	read, err := form.IsRead(frame.Data)
	if err != nil {
		return err
	}
	if err := c.attacker.Publish(ctx, gossip.BlocksV4, data); err != nil {
		return err
	}
	if read {
		c.sent[form.Name]++
		if _, err := c.verifier.AwaitTaken(ctx, hash); err != nil {
			return err
		}
	}
	if err := c.honest.Publish(ctx, gossip.BlocksV4, frame.Data); err != nil {
		return err
	}
	taken, err := c.verifier.AwaitTaken(ctx, hash)
	if err == nil && read && taken.From == c.attacker.ID() {
		c.taken[form.Name]++
	}
	return err
}

func (c *race) stop() error {
	var err error
	for _, host := range []*gossip.Host{c.attacker, c.honest} {
		if host != nil {
			err = errors.Join(err, host.Stop())
		}
	}
	if c.verifier != nil {
		err = errors.Join(err, c.verifier.Stop())
	}
	return err
}

// accepted counts the frames with blocks that Crosscheck accepted.
func accepted(ctx context.Context, client *sidecar.Client, chain uint64) (int, error) {
	metrics, err := client.Metrics(ctx)
	if err != nil {
		return 0, err
	}
	labels := sidecar.Labels{"chain_id": fmt.Sprint(chain), "topic": string(gossip.BlocksV4), "verdict": "accept"}
	return int(metrics.Sum("crosscheck_gossip_frames_total", labels)), nil
}

// unblamed says which peer of Crosscheck's scores below zero or is banned, and which frame was rejected.
func unblamed(ctx context.Context, client *sidecar.Client, chain uint64) error {
	peers, err := client.Peers(ctx, chain)
	if err != nil {
		return err
	}
	for id, each := range peers.Peers {
		if each.Scores.Gossip.Total < 0 {
			err = errors.Join(err, fmt.Errorf("peer %s (%s) scores %f", id, each.UserAgent, each.Scores.Gossip.Total))
		}
	}
	if len(peers.BannedPeers) > 0 {
		err = errors.Join(err, fmt.Errorf("banned: %v", peers.BannedPeers))
	}
	refusals, failure := client.Refusals(ctx, chain)
	for _, refusal := range refusals {
		if refusal.Verdict == "reject" {
			err = errors.Join(err, fmt.Errorf("%s: %s %s", refusal.Topic, refusal.Verdict, refusal.Reason))
		}
	}
	return errors.Join(err, failure)
}
