package l1

import (
	"context"

	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/blobstore"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/fakebeacon"
	"github.com/ethereum-optimism/optimism/op-e2e/e2eutils/geth"
	"github.com/ethereum-optimism/optimism/op-service/clock"
)

type L1 struct {
	g *geth.GethInstance
	b *fakebeacon.FakeBeacon
}

func Start(ctx context.Context, n *network.Network, dir string, logger log.Logger) (*L1, error) {
	b := fakebeacon.NewBeacon(logger, blobstore.New(), n.L1.Timestamp, n.L1BlockTime)
	if err := b.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	g, _, err := geth.InitL1(n.L1BlockTime, n.FinalityDistance, n.L1, clock.SystemClock, dir+"/blobpool", b)
	if err != nil {
		return nil, err
	}
	return &L1{g, b}, g.Node.Start()
}
func (l *L1) RPC() string    { return l.g.Node.HTTPEndpoint() }
func (l *L1) Beacon() string { return l.b.BeaconAddr() }
func (l *L1) Stop() error    { return l.g.Close() }
