package gossip

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// AttesterOptions say whom an attester speaks for, and where it looks.
type AttesterOptions struct {
	Rollup *rollup.Config
	// Key signs what is published in good faith: the sequencer's.
	Key *ecdsa.PrivateKey
	// StatusURL answers optimism_syncStatus for the chain: op-supernode, or an op-node.
	StatusURL string
	// ExecutionURL is an execution client of the chain.
	ExecutionURL string
	// Poll is the time between two looks at the status. 0: half a second.
	Poll time.Duration
}

// Attester publishes each block of a chain that becomes cross-safe, and whatever else it is told to. It starts switched
// off.
type Attester struct {
	options AttesterOptions
	host    *Host
	log     log.Logger
	view    view
	// looking is held while the status is looked at, and while it is switched.
	looking sync.Mutex
	on      bool
	// fromGenesis has everything attested, not only what becomes cross-safe from the first look on.
	fromGenesis bool
	domain      atomic.Int32
	// delay is how much longer than usual it waits between two looks.
	delay atomic.Int64
	// attested are the blocks that were published in good faith. Only the following goroutine uses it.
	attested *lru.Cache[common.Hash, struct{}]
	sent     *journal[Sent]
}

// Sent is one envelope that was published.
type Sent struct {
	Block  eth.BlockID
	Domain Domain
	// Told says that the envelope was published on demand, not because the block became cross-safe.
	Told  bool
	Frame []byte
	// Listeners counts the peers that were subscribed to the topic.
	Listeners int
	At        time.Time
}

// NewAttester makes an attester of a host. It ends with the host.
func NewAttester(host *Host, options AttesterOptions) (*Attester, error) {
	view, err := dialView(host.ctx, options.StatusURL, options.ExecutionURL)
	if err != nil {
		return nil, err
	}
	attester, err := newAttester(host, options, view)
	if err != nil {
		return nil, err
	}
	host.kept.Add(1)
	go attester.follow(host.ctx)
	return attester, nil
}

func newAttester(host *Host, options AttesterOptions, view view) (*Attester, error) {
	if options.Poll == 0 {
		options.Poll = 500 * time.Millisecond
	}
	attested, err := lru.New[common.Hash, struct{}](rememberedBlocks)
	if err != nil {
		return nil, fmt.Errorf("cannot remember blocks: %w", err)
	}
	logger := host.log.New("attester", host.chainID)
	return &Attester{
		options: options, host: host, log: logger, view: view, attested: attested, sent: newJournal[Sent](),
	}, nil
}

// Switch turns the publishing of cross-safe blocks on or off. What became cross-safe meanwhile is made up for. Once it returns,
// nothing is under way that was begun before.
func (a *Attester) Switch(on bool) {
	a.looking.Lock()
	defer a.looking.Unlock()
	a.on = on
}

// FromGenesis has every block attested from block 1 on, once it is switched on, unless something was attested before.
func (a *Attester) FromGenesis() {
	a.looking.Lock()
	defer a.looking.Unlock()
	a.fromGenesis = true
}

// Slow has it look at the status that much more seldom. Zero: as often as usual.
func (a *Attester) Slow(delay time.Duration) { a.delay.Store(int64(delay)) }

// SetDomain says in which domain cross-safe blocks are signed from now on.
func (a *Attester) SetDomain(domain Domain) { a.domain.Store(int32(domain)) }

// Sent are the envelopes that were published, in order.
func (a *Attester) Sent() []Sent { return a.sent.all() }

// AwaitSent waits for the first envelope that is wanted, past ones included.
func (a *Attester) AwaitSent(ctx context.Context, wanted func(Sent) bool) (Sent, error) {
	sent, err := a.sent.await(ctx, wanted)
	if err != nil {
		return sent, fmt.Errorf("the attester of chain %d did not publish it: %w", a.host.chainID, err)
	}
	return sent, nil
}

// Publish publishes an envelope on the topic of attestations, whatever it holds and however it is signed.
func (a *Attester) Publish(ctx context.Context, envelope *eth.ExecutionPayloadEnvelope, manner Manner) (Sent, error) {
	return a.publish(ctx, envelope, manner, true)
}

// PublishHash publishes a block that the execution client has, cross-safe or not.
func (a *Attester) PublishHash(ctx context.Context, hash common.Hash, manner Manner) (Sent, error) {
	block, err := a.view.block(ctx, hash)
	if err != nil {
		return Sent{}, err
	}
	return a.publishBlock(ctx, block, manner)
}

// PublishNumber publishes the execution client's canonical block of a number, cross-safe or not. nil: its head.
func (a *Attester) PublishNumber(ctx context.Context, number *big.Int, manner Manner) (Sent, error) {
	block, err := a.view.canonical(ctx, number)
	if err != nil {
		return Sent{}, err
	}
	return a.publishBlock(ctx, block, manner)
}

func (a *Attester) publishBlock(ctx context.Context, block *types.Block, manner Manner) (Sent, error) {
	envelope, err := FromBlock(a.options.Rollup, block)
	if err != nil {
		return Sent{}, err
	}
	return a.publish(ctx, envelope, manner, true)
}

func (a *Attester) publish(
	ctx context.Context, envelope *eth.ExecutionPayloadEnvelope, manner Manner, told bool,
) (Sent, error) {
	if manner.Key == nil {
		manner.Key = a.options.Key
	}
	frame, err := Seal(a.host.chainID, envelope, manner)
	if err != nil {
		return Sent{}, err
	}
	listeners, err := a.host.Listeners(CrossSafe)
	if err != nil {
		return Sent{}, err
	}
	if err := a.host.Publish(ctx, CrossSafe, frame); err != nil {
		return Sent{}, err
	}
	sent := Sent{
		Block: envelope.ExecutionPayload.ID(), Domain: manner.Domain, Told: told,
		Frame: frame, Listeners: len(listeners), At: time.Now(),
	}
	a.sent.add(sent)
	return sent, nil
}
