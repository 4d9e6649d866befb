package message

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"crosscheck.dev/opstack/internal/network"
)

const (
	// poll is how often a head or a receipt is looked for.
	poll = 100 * time.Millisecond
	// gas is enough for two calls of the relay.
	gas = 400_000
)

var (
	feeCap = big.NewInt(100_000_000_000)
	tip    = big.NewInt(1_000_000_000)
)

// Chain is a chain that messages are sent on.
type Chain struct {
	*network.Chain
	Client *ethclient.Client
}

// send sends a user's transaction, after all that the user has sent.
func (c *Chain) send(ctx context.Context, key *ecdsa.PrivateKey, to common.Address, data []byte, access types.AccessList) (common.Hash, error) {
	nonce, err := c.Client.PendingNonceAt(ctx, crypto.PubkeyToAddress(key.PublicKey))
	if err != nil {
		return common.Hash{}, fmt.Errorf("cannot read a nonce on chain %d: %w", c.ID, err)
	}
	tx, err := types.SignNewTx(key, types.LatestSigner(c.Genesis.Config), &types.DynamicFeeTx{
		ChainID: c.Genesis.Config.ChainID, Nonce: nonce, GasFeeCap: feeCap, GasTipCap: tip, Gas: gas,
		To: &to, Data: data, AccessList: access,
	})
	if err != nil {
		return common.Hash{}, fmt.Errorf("cannot sign a transaction: %w", err)
	}
	if err := c.Client.SendTransaction(ctx, tx); err != nil {
		return common.Hash{}, fmt.Errorf("chain %d does not take a transaction: %w", c.ID, err)
	}
	return tx.Hash(), nil
}

// receipt waits until a transaction is in a block.
func (c *Chain) receipt(ctx context.Context, tx common.Hash) (*types.Receipt, error) {
	for {
		receipt, err := c.Client.TransactionReceipt(ctx, tx)
		if err == nil {
			return receipt, nil
		}
		// The index of transactions is not there yet for a short time after a restart.
		if !errors.Is(err, ethereum.NotFound) && ctx.Err() != nil {
			return nil, fmt.Errorf("cannot read a receipt on chain %d: %w", c.ID, err)
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("chain %d does not include transaction %s: %w", c.ID, tx, err)
		}
	}
}

// freshHead waits for the next block, so that a transaction sent now has a whole block time to get into the one after it.
func (c *Chain) freshHead(ctx context.Context) (uint64, error) {
	first, err := c.Client.BlockNumber(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot read the head of chain %d: %w", c.ID, err)
	}
	for {
		head, err := c.Client.BlockNumber(ctx)
		if err == nil && head > first {
			return head, nil
		}
		// A replacement takes the head back.
		if err == nil && head < first {
			first = head
		}
		if err := pause(ctx); err != nil {
			return 0, fmt.Errorf("chain %d makes no block after %d: %w", c.ID, first, err)
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(poll):
		return nil
	}
}
