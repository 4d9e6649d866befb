package message

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/network"
)

const (
	// gas is enough for two calls of the relay.
	gas = 400_000
	// patience is how many blocks a transaction has to be included in. One that waits longer has a nonce that nobody fills up to.
	patience = 6
)

var (
	feeCap = big.NewInt(100_000_000_000)
	tip    = big.NewInt(1_000_000_000)
	// firstTip outbids all other transactions, so that the logs of this one are the first of their block.
	firstTip = big.NewInt(50_000_000_000)
)

// errNotIncluded says that a transaction got into no block.
var errNotIncluded = errors.New("the transaction is in no block")

// wallet sends transactions of users on one chain. A user has one transaction on its way at most: nobody else takes its nonce.
type wallet struct {
	*Chain
	free chan *ecdsa.PrivateKey
}

func newWallet(chain *Chain) *wallet {
	w := &wallet{Chain: chain, free: make(chan *ecdsa.PrivateKey, network.Users)}
	for i := range network.Users {
		w.free <- network.UserKey(i)
	}
	return w
}

// order is what a transaction is to do.
type order struct {
	to     common.Address
	data   []byte
	value  *big.Int
	access types.AccessList
	// first asks for the first place in the block.
	first bool
}

// transact has a free user send a transaction, and waits until it is in a block.
func (w *wallet) transact(ctx context.Context, o order) (*types.Receipt, error) {
	var key *ecdsa.PrivateKey
	select {
	case key = <-w.free:
		defer func() { w.free <- key }()
	case <-ctx.Done():
		return nil, fmt.Errorf("no user of chain %d is free: %w", w.ID, ctx.Err())
	}
	head, err := w.Client.BlockNumber(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot read the head of chain %d: %w", w.ID, err)
	}
	// What the user's replaced transactions have in the pool counts, too.
	nonce, err := w.Client.PendingNonceAt(ctx, crypto.PubkeyToAddress(key.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("cannot read a nonce on chain %d: %w", w.ID, err)
	}
	tx, err := w.sign(key, nonce, o)
	if err != nil {
		return nil, err
	}
	if err := w.Client.SendTransaction(ctx, tx); err != nil {
		return nil, fmt.Errorf("chain %d does not take a transaction: %w", w.ID, err)
	}
	return w.receipt(ctx, tx.Hash(), head+patience)
}

func (w *wallet) sign(key *ecdsa.PrivateKey, nonce uint64, o order) (*types.Transaction, error) {
	content := &types.DynamicFeeTx{
		ChainID: w.Genesis.Config.ChainID, Nonce: nonce, GasFeeCap: feeCap, GasTipCap: tip, Gas: gas,
		To: &o.to, Value: o.value, Data: o.data, AccessList: o.access,
	}
	if o.first {
		content.GasTipCap = firstTip
	}
	tx, err := types.SignNewTx(key, types.LatestSigner(w.Genesis.Config), content)
	if err != nil {
		return nil, fmt.Errorf("cannot sign a transaction of chain %d: %w", w.ID, err)
	}
	return tx, nil
}

// receipt waits until a transaction is in a block, up to this one.
func (w *wallet) receipt(ctx context.Context, tx common.Hash, last uint64) (*types.Receipt, error) {
	for {
		// The head is read first: a receipt that is not there afterwards is in no block up to it.
		head, failed := w.Client.BlockNumber(ctx)
		receipt, err := w.Client.TransactionReceipt(ctx, tx)
		if err == nil {
			return receipt, nil
		}
		if failed == nil && head > last {
			return nil, fmt.Errorf("chain %d is at block %d, and %s: %w", w.ID, head, tx, errNotIncluded)
		}
		// Whatever the error: a client that was just restarted may not answer yet, or not have indexed the transaction.
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("chain %d does not include transaction %s: %w", w.ID, tx, err)
		}
	}
}
