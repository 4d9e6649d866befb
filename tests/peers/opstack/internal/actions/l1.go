package actions

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/control"
	"crosscheck.dev/opstack/internal/network"
)

type reorg struct {
	Depth int `json:"depth"`
}

type gasLimit struct {
	Chain uint64 `json:"chain"`
	Limit uint64 `json:"limit"`
}

type rotated struct {
	Chain uint64 `json:"chain"`
	// Signer is the new unsafe block signer. Zero: the sequencer's own key, as at the start.
	Signer common.Address `json:"signer"`
}

// depositGas is enough for a deposit that calls the emitter.
const depositGas = 200_000

func (a *actions) l1() []control.Action {
	return []control.Action{
		control.New("reorganise-l1", "replaces the newest blocks of L1", func(ctx context.Context, p reorg) (any, error) {
			return a.bed.L1.Reorg(ctx, p.Depth, nil)
		}),
		control.New("deposit", "deposits a transaction from L1 that makes a log on L2", func(ctx context.Context, p onChain) (any, error) {
			chain, err := a.chain(p.Chain)
			if err != nil {
				return nil, err
			}
			return a.bed.L1.Deposit(ctx, chain.Chain, network.UserKey(0), contracts.Deposit{
				To: contracts.Emitter, Gas: depositGas, Data: contracts.Emit(nil, []byte("a deposit")),
			})
		}),
		control.New("set-gas-limit", "changes a chain's gas limit on L1", func(ctx context.Context, p gasLimit) (any, error) {
			chain, err := a.chain(p.Chain)
			if err != nil {
				return nil, err
			}
			return a.bed.L1.SetGasLimit(ctx, chain.Chain, p.Limit)
		}),
		control.New("rotate-signer", "names another unsafe block signer on L1; the sequencer goes on with its key",
			func(ctx context.Context, p rotated) (any, error) {
				chain, err := a.chain(p.Chain)
				if err != nil {
					return nil, err
				}
				if p.Signer == (common.Address{}) {
					p.Signer = crypto.PubkeyToAddress(chain.SequencerKey.PublicKey)
				}
				return a.bed.L1.RotateSigner(ctx, chain.Chain, p.Signer)
			}),
	}
}
