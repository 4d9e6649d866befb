package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/libp2p/go-libp2p/core/peer"

	"crosscheck.dev/opstack/internal/message"
	"crosscheck.dev/opstack/internal/sidecar"
	"crosscheck.dev/opstack/internal/stack"
	interop "github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/apis"
	"github.com/ethereum-optimism/optimism/op-service/client"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	"github.com/ethereum-optimism/optimism/op-service/eth/safety"
	"github.com/ethereum-optimism/optimism/op-service/sources"
)

// clients: Go's own clients read what Crosscheck serves, and nothing of it is lost on the way.
func clients(ctx context.Context, r *Run) error {
	var config sidecar.Config
	ctx, crosscheck, err := r.settled(ctx, stack.SequencerNode, func(c *sidecar.Config) { config = *c })
	if err != nil {
		return err
	}
	members := r.Stack.Members()
	executed, err := r.Sender.Send(ctx, members[0].ID, members[1].ID, message.Valid)
	if err != nil {
		return err
	}
	if err := r.validAlike(ctx, crosscheck, executed); err != nil {
		return err
	}
	for _, chain := range members {
		if err := r.chainClients(ctx, &config, chain); err != nil {
			return err
		}
	}
	return r.superchainClients(ctx, &config, executed)
}

// chainClients are those of one chain: RollupClient and FollowClient at the server for followers, P2PClient at the chain's path.
func (r *Run) chainClients(ctx context.Context, config *sidecar.Config, chain *stack.Chain) error {
	check := func(name string, failure error) { r.Check(fmt.Sprintf("chain %d: %s", chain.ID, name), failure) }
	follow, closeFollow, err := dial(ctx, config.FollowURL(chain.ID))
	if err != nil {
		return err
	}
	defer closeFollow()
	followed, err := sources.NewFollowClient(follow)
	if err != nil {
		return err
	}
	status, err := followed.GetFollowStatus(ctx)
	if err == nil && (status.SafeL2.Number == 0 || status.CurrentL1.Number == 0 || status.LocalSafeL2 == (eth.L2BlockRef{})) {
		err = fmt.Errorf("it reads zeros: %+v", status)
	}
	check("FollowClient reads the status", err)
	// What Go has no field for, or no longer one.
	check("optimism_syncStatus comes back the same", roundTrip[eth.SyncStatus](ctx, follow, "optimism_syncStatus",
		[]string{"crosscheck_hold", "cross_unsafe_l2"}))
	check("optimism_rollupConfig comes back the same", roundTrip[rollup.Config](ctx, follow, "optimism_rollupConfig", nil))
	served := sources.NewRollupClient(follow)
	read, err := served.RollupConfig(ctx)
	if err == nil {
		err = read.Check()
	}
	check("RollupClient reads a sound configuration", err)
	_, err = served.Version(ctx)
	check("RollupClient reads the version", err)
	return r.peerClient(ctx, fmt.Sprintf("%s/%d/", config.RPC(), chain.ID), check)
}

func (r *Run) peerClient(ctx context.Context, url string, check func(string, error)) error {
	conn, closeConn, err := dial(ctx, url)
	if err != nil {
		return err
	}
	defer closeConn()
	peers := sources.NewP2PClient(conn)
	own, err := peers.Self(ctx)
	if err == nil && own.PeerID == "" {
		err = errors.New("it has no peer id")
	}
	check("P2PClient reads the node itself", err)
	check("opp2p_self comes back the same", roundTrip[apis.PeerInfo](ctx, conn, "opp2p_self", nil))
	for _, connected := range []bool{true, false} {
		dump, err := peers.Peers(ctx, connected)
		if err == nil && len(dump.Peers) == 0 {
			err = errors.New("there are none")
		}
		check(fmt.Sprintf("P2PClient reads peers, connected %t", connected), err)
		check(fmt.Sprintf("opp2p_peers comes back the same, connected %t", connected),
			roundTrip[apis.PeerDump](ctx, conn, "opp2p_peers", nil, connected))
	}
	check("opp2p_peerStats comes back the same", roundTrip[apis.PeerStats](ctx, conn, "opp2p_peerStats", nil))
	_, err = peers.DiscoveryTable(ctx)
	if err != nil && err.Error() == "discovery disabled" {
		err = nil
	}
	check("P2PClient reads the table of discovery, or that there is none", err)
	check("P2PClient blocks and protects", errors.Join(gates(ctx, peers)...))
	check("opp2p_listBlockedPeers comes back the same", roundTrip[[]peer.ID](ctx, conn, "opp2p_listBlockedPeers", nil))
	check("opp2p_listBlockedAddrs comes back the same", roundTrip[[]net.IP](ctx, conn, "opp2p_listBlockedAddrs", nil))
	check("opp2p_listBlockedSubnets comes back the same", roundTrip[[]*net.IPNet](ctx, conn, "opp2p_listBlockedSubnets", nil))
	return nil
}

// gates uses every method that changes who may be a peer, on a peer and addresses that nobody has.
func gates(ctx context.Context, peers *sources.P2PClient) []error {
	stranger, err := peer.Decode("16Uiu2HAmTBqyUQqAbZGf9ztnDw5fF9vzSzYc3nWjyYzB7nKLBFQG")
	if err != nil {
		stranger, err = peer.ID("\x00\x25"+"\x08\x02\x12\x21\x02"+"0123456789abcdef0123456789abcdef"), nil
	}
	addr := net.ParseIP("203.0.113.7")
	_, subnet, parsed := net.ParseCIDR("198.51.100.0/24")
	return []error{
		err, parsed, peers.BlockPeer(ctx, stranger), peers.BlockAddr(ctx, addr), peers.BlockSubnet(ctx, subnet),
		peers.ProtectPeer(ctx, stranger), peers.UnprotectPeer(ctx, stranger), peers.DisconnectPeer(ctx, stranger),
		holds(func() (any, error) { return peers.ListBlockedPeers(ctx) }, []peer.ID{stranger}),
		holds(func() (any, error) { return peers.ListBlockedAddrs(ctx) }, []net.IP{addr.To4()}),
		holds(func() (any, error) { return peers.ListBlockedSubnets(ctx) }, []*net.IPNet{subnet}),
		peers.UnblockPeer(ctx, stranger), peers.UnblockAddr(ctx, addr), peers.UnblockSubnet(ctx, subnet),
	}
}

func holds(list func() (any, error), wanted any) error {
	listed, err := list()
	if err != nil {
		return err
	}
	if fmt.Sprint(listed) != fmt.Sprint(wanted) {
		return fmt.Errorf("it lists %v, not %v", listed, wanted)
	}
	return nil
}

// superchainClients are those of all chains together.
func (r *Run) superchainClients(ctx context.Context, config *sidecar.Config, executed *message.Executed) error {
	conn, closeConn, err := dial(ctx, config.RPC())
	if err != nil {
		return err
	}
	defer closeConn()
	filter := sources.NewInteropFilterClient(conn)
	cited := executed.Message
	now := interop.ExecutingDescriptor{
		ChainID: eth.ChainIDFromUInt64(executed.Chain), Timestamp: cited.Identifier.Timestamp + 10, Timeout: 60,
	}
	entries := interop.EncodeAccessList([]interop.Access{cited.Access()})
	r.Check("InteropFilterClient: a valid message", filter.CheckAccessList(ctx, entries, safety.CrossUnsafe, now))
	r.Check("InteropFilterClient: no message", filter.CheckAccessList(ctx, nil, safety.CrossUnsafe, now))
	hash, err := filter.GetBlockHashByNumber(ctx, now.ChainID, rpc.BlockNumber(executed.Number))
	if err == nil && hash != executed.Hash {
		err = fmt.Errorf("it is %s, not %s", hash, executed.Hash)
	}
	r.Check("InteropFilterClient: the hash of a block", err)
	_, err = filter.GetBlockHashByNumber(ctx, now.ChainID, rpc.LatestBlockNumber)
	r.Check("InteropFilterClient: the hash of the latest block", err)

	supernode := sources.NewSuperNodeClient(conn)
	root, err := supernode.SuperRootAtTimestamp(ctx, cited.Identifier.Timestamp)
	if err == nil && (root.Data == nil || root.Data.SuperRoot == (eth.Bytes32{})) {
		err = fmt.Errorf("there is none: %+v", root)
	}
	r.Check("SuperNodeClient: the super root", err)
	r.Check("SuperNodeClient: superroot_atTimestamp comes back the same",
		roundTrip[eth.SuperRootAtTimestampResponse](ctx, conn, "superroot_atTimestamp", nil, fmt.Sprintf("%#x", cited.Identifier.Timestamp)))
	status, err := supernode.SyncStatus(ctx)
	if err == nil && (status.CurrentL1.Number == 0 || status.SafeTimestamp == 0 || len(status.Chains) != len(status.ChainIDs)) {
		err = fmt.Errorf("it reads zeros: %+v", status)
	}
	r.Check("SuperNodeClient: the status", err)
	r.Check("SuperNodeClient: supernode_syncStatus comes back the same",
		roundTrip[eth.SuperNodeSyncStatusResponse](ctx, conn, "supernode_syncStatus", nil))
	var beat hexutil.Bytes
	err = conn.CallContext(ctx, &beat, "heartbeat_check")
	if err == nil && len(beat) != 4 {
		err = fmt.Errorf("it is %s", beat)
	}
	r.Check("the heartbeat is four bytes", err)
	r.Check("supervisor_superRootAtTimestamp comes back the same",
		roundTrip[eth.SuperRootResponse](ctx, conn, "supervisor_superRootAtTimestamp", nil, fmt.Sprintf("%#x", cited.Identifier.Timestamp)))
	r.Check("the super root is op-supernode's", r.superRootAlike(ctx, supernode, cited.Identifier.Timestamp))
	for _, chain := range r.Stack.Members() {
		r.supervisorChain(ctx, conn, chain)
	}
	r.supervisorSet(ctx, conn)
	return r.filterClient(ctx, config.RPC(), executed)
}

// superRootAlike: op-supernode composes the same super root of the same outputs.
func (r *Run) superRootAlike(ctx context.Context, ours *sources.SuperNodeClient, timestamp uint64) error {
	conn, closeConn, err := dial(ctx, r.Stack.Supernode.RPC())
	if err != nil {
		return err
	}
	defer closeConn()
	theirs, err := sources.NewSuperNodeClient(conn).SuperRootAtTimestamp(ctx, timestamp)
	if err != nil {
		return err
	}
	own, err := ours.SuperRootAtTimestamp(ctx, timestamp)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(own.OptimisticAtTimestamp, theirs.OptimisticAtTimestamp) || !reflect.DeepEqual(own.ChainIDs, theirs.ChainIDs) ||
		!reflect.DeepEqual(own.Data, theirs.Data) {
		return fmt.Errorf("op-supernode has %+v, and Crosscheck %+v", theirs, own)
	}
	return nil
}

func dial(ctx context.Context, url string) (client.RPC, func(), error) {
	conn, err := rpc.DialContext(ctx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot use %s: %w", url, err)
	}
	return client.NewBaseRPCClient(conn), conn.Close, nil
}

// roundTrip reads an answer as Go's type has it, writes it again, and holds that nothing is lost or other. The keys that are named are
// served beyond Go's type.
func roundTrip[T any](ctx context.Context, conn client.RPC, method string, beyond []string, params ...any) error {
	var sent json.RawMessage
	if err := conn.CallContext(ctx, &sent, method, params...); err != nil {
		return err
	}
	var read T
	if err := json.Unmarshal(sent, &read); err != nil {
		return fmt.Errorf("Go cannot read it: %w", err)
	}
	again, err := json.Marshal(read)
	if err != nil {
		return fmt.Errorf("Go cannot write it: %w", err)
	}
	var before, after any
	if err := errors.Join(json.Unmarshal(sent, &before), json.Unmarshal(again, &after)); err != nil {
		return err
	}
	if fields, is := before.(map[string]any); is {
		for _, key := range beyond {
			delete(fields, key)
		}
	}
	return difference("", before, after)
}

// difference names the first place at which two JSON values are not the same.
func difference(at string, before, after any) error {
	one, both := before.(map[string]any)
	other, are := after.(map[string]any)
	if !both || !are {
		if !reflect.DeepEqual(before, after) {
			return fmt.Errorf("%s was %v and comes back as %v", at, before, after)
		}
		return nil
	}
	for key, value := range one {
		if _, there := other[key]; !there {
			return fmt.Errorf("%s.%s = %v is lost", at, key, value)
		}
		if err := difference(at+"."+key, value, other[key]); err != nil {
			return err
		}
	}
	for key, value := range other {
		if _, there := one[key]; !there && value != nil {
			return fmt.Errorf("%s.%s is not sent, and comes back as %v", at, key, value)
		}
	}
	return nil
}
