package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
)

// depositGas is enough for a transfer.
const depositGas = 100_000

// deposited has nothing before a user's deposit.
var deposited = common.HexToAddress("0xde9051")

// konaNode: kona-node is Crosscheck's rollup node, and has no other gossip peer than Crosscheck. The chain ends with Isthmus, which
// is the last fork that this kona-node derives.
func konaNode(ctx context.Context, r *Run) error {
	lone := r.lone()
	lone.Peers.Attester.Switch(true)
	config, err := r.Stack.KonaConfig(r.name)
	if err != nil {
		return err
	}
	ctx, crosscheck, err := r.start(ctx, config)
	if err != nil {
		return err
	}
	client := crosscheck.Client()
	mutual := watchMutual(ctx, client, lone)
	err = r.depositUpheld(ctx, client, lone)
	r.Check("kona-node and Crosscheck are peers, and neither scores the other below zero", mutual.stop())
	if err != nil {
		return err
	}
	if err := r.headless(ctx, client, lone); err != nil {
		return err
	}
	if err := lone.Kona.Restart(ctx, lone.Kona.Known); err != nil {
		return err
	}
	return r.withHeads(ctx, crosscheck, lone)
}

// konaNodeNamed is konaNode on a chain that kona-node knows by a name.
func konaNodeNamed(ctx context.Context, r *Run) error {
	lone := r.lone()
	said, err := lone.Kona.ChainID(ctx)
	if err != nil {
		return err
	}
	err = nil
	if !strings.HasPrefix(said, `"`) {
		err = fmt.Errorf("kona-node writes the id of the chain as %s", said)
	}
	r.Check("kona-node writes the chain's name in place of its id", err)
	return konaNode(ctx, r)
}

// depositUpheld holds that every block is upheld, one with a user's deposit among them: Crosscheck reads deposits from L1.
func (r *Run) depositUpheld(ctx context.Context, client *sidecar.Client, lone *stack.Chain) error {
	user := network.UserKey(0)
	deposit := contracts.Deposit{To: deposited, Mint: big.NewInt(1), Value: big.NewInt(1), Gas: depositGas}
	receipt, err := r.Stack.L1.Deposit(ctx, lone.Chain, user, deposit)
	if err != nil {
		return err
	}
	answer, err := sidecar.WaitFor(ctx, "the deposit on the lone chain", func(ctx context.Context) (uint64, error) {
		status, err := lone.Status(ctx)
		if err != nil || status.SafeL2.L1Origin.Number < receipt.BlockNumber.Uint64() {
			return 0, err
		}
		return status.SafeL2.Number, nil
	}, func(height uint64) bool { return height > 0 })
	if err != nil {
		return err
	}
	balance, err := lone.Client.BalanceAt(ctx, deposited, nil)
	if err != nil {
		return err
	}
	if balance.Sign() == 0 {
		return errors.New("the deposit did not come to the lone chain")
	}
	r.Check("every block from genesis to the deposit is upheld", within(ctx, recovery, func(ctx context.Context) error {
		return client.WaitUpheld(ctx, lone.ID, 1, answer)
	}))
	return r.upholds(ctx, client, []*stack.Chain{lone})
}

// headless restarts kona-node as a peer that nobody dials: it names no heads then, until it is restarted again.
func (r *Run) headless(ctx context.Context, client *sidecar.Client, lone *stack.Chain) error {
	kona := lone.Kona
	if err := kona.Restart(ctx, kona.Stranger); err != nil {
		return err
	}
	select {
	case <-time.After(settling):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	ready, err := client.Ready(ctx)
	if err != nil {
		return err
	}
	status, err := client.ChainStatus(ctx, lone.ID)
	if err != nil {
		return err
	}
	named, err := client.SyncStatusAt(ctx, kona.Rollup.RPC())
	if err != nil {
		return err
	}
	if named.UnsafeL2.Hash != (common.Hash{}) {
		return fmt.Errorf("kona-node names a head, %s, though nobody dials it", named.UnsafeL2)
	}
	if ready.Ready || ready.ReasonWith("heads") == "" {
		err = fmt.Errorf("ready: %t, reasons: %q", ready.Ready, ready.Reasons)
	}
	r.Check("it is not ready while kona-node names no heads", err)
	err = nil
	if status.Unsafe != nil || status.LocalSafe != nil || status.Safe != nil || status.Finalized != nil {
		err = fmt.Errorf("unsafe %s, local-safe %s, safe %s, finalized %s",
			height(status.Unsafe), height(status.LocalSafe), height(status.Safe), height(status.Finalized))
	}
	r.Check("it names no heads while kona-node names none", err)
	return nil
}

func height(of *uint64) string {
	if of == nil {
		return "none"
	}
	return fmt.Sprint(*of)
}

// withHeads holds that Crosscheck finds kona-node again, and goes on.
func (r *Run) withHeads(ctx context.Context, crosscheck *sidecar.Process, lone *stack.Chain) error {
	client := crosscheck.Client()
	current, err := lone.Status(ctx)
	if err != nil {
		return err
	}
	goal := current.SafeL2.Number + further
	bounded, cancel := context.WithTimeout(ctx, recovery)
	defer cancel()
	r.Check("the vouched head moves on once kona-node has a peer again", client.WaitVouched(bounded, lone.ID, goal))
	r.Check("an op-node that follows Crosscheck moves on with it", lone.Follower.AwaitSafe(bounded, goal))
	r.Check("every block from genesis on is upheld, and none is open", client.WaitUpheld(bounded, lone.ID, 1, goal))
	r.Check("it is ready again", client.WaitReady(bounded))
	r.Check("no consensus failure is told", failure(crosscheck.Log))
	r.Check("nobody is accused", accused(ctx, client, []*stack.Chain{lone}, nil))
	return nil
}

// mutual is what kona-node and Crosscheck think of each other.
type mutual struct {
	cancel context.CancelFunc
	result chan error
}

// watchMutual looks at both until it is stopped.
func watchMutual(ctx context.Context, client *sidecar.Client, lone *stack.Chain) *mutual {
	ctx, cancel := context.WithCancel(ctx)
	m := &mutual{cancel: cancel, result: make(chan error, 1)}
	go func() {
		seen := errors.New("never peers")
		var worst error
		for ctx.Err() == nil {
			ours, theirs, err := scoresOf(ctx, client, lone)
			switch {
			case err != nil && worst == nil && ctx.Err() == nil:
				seen = err
			case err == nil && min(ours, theirs) < 0:
				worst = fmt.Errorf("Crosscheck scores kona-node %f, kona-node scores Crosscheck %f", ours, theirs)
			case err == nil:
				seen = nil
			}
			select {
			case <-ctx.Done():
			case <-time.After(scoreInterval):
			}
		}
		m.result <- errors.Join(worst, seen)
	}()
	return m
}

// scoresOf are Crosscheck's score of kona-node, and kona-node's score of Crosscheck.
func scoresOf(ctx context.Context, client *sidecar.Client, lone *stack.Chain) (ours, theirs float64, err error) {
	self, err := client.Self(ctx, lone.ID)
	if err != nil {
		return 0, 0, err
	}
	known, err := client.Peers(ctx, lone.ID)
	if err != nil {
		return 0, 0, err
	}
	knows, err := client.PeersAt(ctx, lone.Kona.Rollup.RPC())
	if err != nil {
		return 0, 0, err
	}
	kona, met := known.Peers[lone.Kona.Known.ID.String()]
	we, meet := knows.Peers[self.ID]
	if !met || !meet {
		return 0, 0, fmt.Errorf("Crosscheck has kona-node as a peer: %t; kona-node has Crosscheck as a peer: %t", met, meet)
	}
	return kona.Scores.Gossip.Total, we.Scores.Gossip.Total, nil
}

// stop ends the looking, and says which score was below zero.
func (m *mutual) stop() error {
	m.cancel()
	return <-m.result
}
