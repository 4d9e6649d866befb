package l1

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"crosscheck.dev/opstack/internal/contracts"
	"crosscheck.dev/opstack/internal/network"
)

// tip is what a transaction pays above the base fee.
var tip = big.NewInt(params.GWei)

// Send sends a transaction and waits until a block has it. A transaction that failed is an error. The value may be nil.
func (l *L1) Send(ctx context.Context, key *ecdsa.PrivateKey, to common.Address, data []byte, value *big.Int) (*types.Receipt, error) {
	heads := make(chan core.ChainHeadEvent, 1)
	news := l.geth.BlockChain().SubscribeChainHeadEvent(heads)
	defer news.Unsubscribe()
	tx, err := l.submit(ctx, key, to, data, value)
	if err != nil {
		return nil, fmt.Errorf("cannot send to %s on L1: %w", to, err)
	}
	for {
		receipt, err := l.client.TransactionReceipt(ctx, tx.Hash())
		if err == nil && receipt.Status != types.ReceiptStatusSuccessful {
			return receipt, fmt.Errorf("transaction %s to %s failed on L1", tx.Hash(), to)
		}
		if err == nil {
			return receipt, nil
		}
		select {
		case <-heads:
		case <-news.Err():
			return nil, errStopped
		case <-ctx.Done():
			return nil, fmt.Errorf("no L1 block has transaction %s (%v): %w", tx.Hash(), err, ctx.Err())
		}
	}
}

// submit puts a transaction into the pool.
func (l *L1) submit(ctx context.Context, key *ecdsa.PrivateKey, to common.Address, data []byte, value *big.Int) (*types.Transaction, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	from := crypto.PubkeyToAddress(key.PublicKey)
	nonce, err := l.client.PendingNonceAt(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("the nonce of %s: %w", from, err)
	}
	gas, err := l.client.EstimateGas(ctx, ethereum.CallMsg{From: from, To: &to, Data: data, Value: value})
	if err != nil {
		return nil, fmt.Errorf("its gas: %w", err)
	}
	tx, err := types.SignNewTx(key, types.LatestSigner(l.network.L1.Config), &types.DynamicFeeTx{
		ChainID:   l.network.L1.Config.ChainID,
		Nonce:     nonce,
		GasTipCap: tip,
		GasFeeCap: l.feeCap(),
		Gas:       gas + gas/4, // Storage may cost more in a later block.
		To:        &to,
		Value:     value,
		Data:      data,
	})
	if err != nil {
		return nil, err
	}
	return tx, l.client.SendTransaction(ctx, tx)
}

// feeCap leaves room for the base fee to double.
func (l *L1) feeCap() *big.Int {
	base := l.Head().BaseFee
	return new(big.Int).Add(tip, new(big.Int).Add(base, base))
}

// Deposit sends a deposit to a chain's portal. The owner of the key is its sender on L2.
func (l *L1) Deposit(ctx context.Context, chain *network.Chain, key *ecdsa.PrivateKey, deposit contracts.Deposit) (*types.Receipt, error) {
	return l.Send(ctx, key, contracts.Portal(chain.ID), deposit.Calldata(), nil)
}

// SetGasLimit changes the gas limit of a chain's blocks.
func (l *L1) SetGasLimit(ctx context.Context, chain *network.Chain, limit uint64) (*types.Receipt, error) {
	return l.configure(ctx, chain, contracts.SetGasLimit(limit))
}

// SetBatcher changes whose batches count for a chain.
func (l *L1) SetBatcher(ctx context.Context, chain *network.Chain, batcher common.Address) (*types.Receipt, error) {
	return l.configure(ctx, chain, contracts.SetBatcher(batcher))
}

// RotateSigner changes whose signature a chain's gossip needs.
func (l *L1) RotateSigner(ctx context.Context, chain *network.Chain, signer common.Address) (*types.Receipt, error) {
	return l.configure(ctx, chain, contracts.SetSigner(signer))
}

// configure sends an update to a chain's configuration, from the last user.
func (l *L1) configure(ctx context.Context, chain *network.Chain, data []byte) (*types.Receipt, error) {
	return l.Send(ctx, network.UserKey(network.Users-1), contracts.SystemConfig(chain.ID), data, nil)
}
