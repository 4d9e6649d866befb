package actions

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/gossip"
)

type switched struct {
	Chain uint64 `json:"chain"`
	On    bool   `json:"on"`
}

type published struct {
	Chain uint64 `json:"chain"`
	// Hash is the block's. Zero: Number is taken; without one the head.
	Hash   common.Hash `json:"hash"`
	Number *uint64     `json:"number"`
	// Domain is "own" or "zero".
	Domain string `json:"domain"`
	// Fault is "", "wrong-key", "payload-bit", "signature-bit" or "recovery-id".
	Fault string `json:"fault"`
}

func (a *actions) gossip() []control.Action {
	return []control.Action{
		on("attest", "switches the attester of a chain on or off", func(_ context.Context, p switched) error {
			chain, err := a.chain(p.Chain)
			if err == nil {
				chain.Peers.Attester.Switch(p.On)
			}
			return err
		}),
		on("replay", "switches the bystander of a chain on or off, who replays unsafe frames as attestations",
			func(_ context.Context, p switched) error {
				chain, err := a.chain(p.Chain)
				if err == nil {
					chain.Peers.Bystander.Switch(p.On)
				}
				return err
			}),
		control.New("publish", "attests any block, truly or not", a.publish),
	}
}

func (a *actions) publish(ctx context.Context, p published) (any, error) {
	chain, err := a.chain(p.Chain)
	if err != nil {
		return nil, err
	}
	manner, err := mannerOf(p)
	if err != nil {
		return nil, err
	}
	if p.Hash != (common.Hash{}) {
		return chain.Peers.Attester.PublishHash(ctx, p.Hash, manner)
	}
	var number *big.Int
	if p.Number != nil {
		number = new(big.Int).SetUint64(*p.Number)
	}
	return chain.Peers.Attester.PublishNumber(ctx, number, manner)
}

func mannerOf(p published) (gossip.Manner, error) {
	var manner gossip.Manner
	switch p.Domain {
	case "", "own":
	case "zero":
		manner.Domain = gossip.ZeroDomain
	default:
		return manner, fmt.Errorf("there is no domain %q", p.Domain)
	}
	switch p.Fault {
	case "":
	case "wrong-key":
		key, err := crypto.GenerateKey()
		if err != nil {
			return manner, fmt.Errorf("cannot make a key: %w", err)
		}
		manner.Key = key
	case "payload-bit":
		manner.Corrupt = gossip.FlipPayloadBit
	case "signature-bit":
		manner.Corrupt = gossip.FlipSignatureBit
	case "recovery-id":
		manner.Corrupt = gossip.NoRecoveryID
	default:
		return manner, fmt.Errorf("there is no fault %q", p.Fault)
	}
	return manner, nil
}
