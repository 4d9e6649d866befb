package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/stack"
	"github.com/ethereum-optimism/optimism/op-interop-mon/monitor"
	"github.com/ethereum-optimism/optimism/op-service/client"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum-optimism/optimism/op-service/eth/safety"
)

// derivedPair is an L2 block and the L1 block that it became safe with. The modules have lost this type and those of the status
// together with op-supervisor. Clients of other releases have them.
type derivedPair struct {
	Source  eth.BlockID `json:"source"`
	Derived eth.BlockID `json:"derived"`
}

type supervisorStatus struct {
	MinSyncedL1        eth.L1BlockRef                   `json:"minSyncedL1"`
	SafeTimestamp      uint64                           `json:"safeTimestamp"`
	FinalizedTimestamp uint64                           `json:"finalizedTimestamp"`
	Chains             map[hexutil.Uint64]supervisedOne `json:"chains"`
}

type supervisedOne struct {
	LocalUnsafe eth.BlockRef `json:"localUnsafe"`
	LocalSafe   eth.BlockID  `json:"localSafe"`
	CrossUnsafe eth.BlockID  `json:"crossUnsafe"`
	Safe        eth.BlockID  `json:"safe"`
	Finalized   eth.BlockID  `json:"finalized"`
}

// supervisorChain reads what the supervisor's interface says of one chain.
func (r *Run) supervisorChain(ctx context.Context, conn client.RPC, chain *stack.Chain) {
	id := eth.ChainIDFromUInt64(chain.ID)
	check := func(method string, failure error) {
		r.Check(fmt.Sprintf("chain %d: %s comes back the same", chain.ID, method), failure)
	}
	for _, method := range []string{"supervisor_localUnsafe", "supervisor_finalized"} {
		check(method, roundTrip[eth.BlockID](ctx, conn, method, nil, id))
	}
	for _, method := range []string{"supervisor_localSafe", "supervisor_crossSafe"} {
		check(method, roundTrip[derivedPair](ctx, conn, method, nil, id))
	}
	var pair derivedPair
	err := conn.CallContext(ctx, &pair, "supervisor_crossSafe", id)
	if err == nil && (pair.Derived.Hash == common.Hash{} || pair.Source.Hash == common.Hash{}) {
		err = fmt.Errorf("it reads zeros: %+v", pair)
	}
	r.Check(fmt.Sprintf("chain %d: supervisor_crossSafe is a pair", chain.ID), err)
	var source eth.BlockRef
	err = conn.CallContext(ctx, &source, "supervisor_crossDerivedToSource", id, pair.Derived)
	if err == nil && source.ID() != pair.Source {
		err = fmt.Errorf("it is %s, not %s", source, pair.Source)
	}
	r.Check(fmt.Sprintf("chain %d: supervisor_crossDerivedToSource names the same L1 block", chain.ID), err)
}

// supervisorSet reads what the supervisor's interface says of all chains.
func (r *Run) supervisorSet(ctx context.Context, conn client.RPC) {
	r.Check("supervisor_finalizedL1 comes back the same",
		roundTrip[eth.BlockRef](ctx, conn, "supervisor_finalizedL1", nil))
	r.Check("supervisor_syncStatus comes back the same",
		roundTrip[supervisorStatus](ctx, conn, "supervisor_syncStatus", nil))
	var status supervisorStatus
	err := conn.CallContext(ctx, &status, "supervisor_syncStatus")
	if err == nil && (status.MinSyncedL1.Number == 0 || status.SafeTimestamp == 0 || len(status.Chains) != len(r.Stack.Members())) {
		err = fmt.Errorf("it reads zeros: %+v", status)
	}
	r.Check("supervisor_syncStatus names every chain", err)
	var finalized eth.BlockRef
	err = conn.CallContext(ctx, &finalized, "supervisor_finalizedL1")
	if err == nil {
		err = roundTrip[map[hexutil.Uint64]eth.BlockID](ctx, conn, "supervisor_allSafeDerivedAt", nil, finalized.ID())
	}
	r.Check("supervisor_allSafeDerivedAt is read", err)
}

// filterClient: the client that op-interop-mon asks op-interop-filters with asks Crosscheck. It must see the failsafe, too.
func (r *Run) filterClient(ctx context.Context, url string, executed *message.Executed) error {
	filter, err := monitor.NewFilterClient(url, safety.CrossUnsafe, log.NewLogger(log.DiscardHandler()))
	if err != nil {
		return err
	}
	defer filter.Close()
	conn, closeConn, err := dial(ctx, url)
	if err != nil {
		return err
	}
	defer closeConn()
	ask := func() error {
		at := executed.Message.Identifier.Timestamp + 10
		return filter.CheckMessage(ctx, executed.Message, eth.ChainIDFromUInt64(executed.Chain), at)
	}
	r.Check("op-interop-mon's client: a valid message", ask())
	forged := *executed
	forged.Message.PayloadHash[0] ^= 1
	_, refusal := refusedBy(filter.CheckMessage(ctx, forged.Message, eth.ChainIDFromUInt64(forged.Chain), forged.Message.Identifier.Timestamp+10))
	r.Check("op-interop-mon's client: a message with another payload is refused", refusal)
	for _, enabled := range []bool{true, false} {
		err := conn.CallContext(ctx, nil, "admin_setFailsafeEnabled", enabled)
		read, failure := filter.GetFailsafeEnabled(ctx)
		if err = errors.Join(err, failure); err == nil && read != enabled {
			err = fmt.Errorf("it reads %t", read)
		}
		r.Check(fmt.Sprintf("op-interop-mon's client: the failsafe is %t", enabled), err)
		text, refusal := refusedBy(ask())
		switch {
		case !enabled:
			refusal = ask()
		case refusal == nil && !strings.Contains(text, "failsafe is enabled"):
			refusal = errors.New(text)
		}
		r.Check(fmt.Sprintf("op-interop-mon's client: a valid message with the failsafe %t", enabled), refusal)
	}
	return nil
}

// refusedBy is the text of a refusal. It is an error if there is none.
func refusedBy(answer error) (string, error) {
	if answer == nil {
		return "", errors.New("it was accepted")
	}
	return answer.Error(), nil
}
