package l1

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
)

// forget takes transactions out of the pool. When a block is replaced, the pool takes back what the new branch lacks, and
// would have it included again. It has no way to remove one transaction: all go, and the others come back.
func (d *driver) forget(dropped []*types.Transaction) error {
	if err := d.pool.Sync(); err != nil {
		return fmt.Errorf("the pool: %w", err)
	}
	unwanted := map[common.Hash]bool{}
	for _, tx := range dropped {
		unwanted[tx.Hash()] = true
	}
	others := d.waiting(unwanted)
	d.pool.Clear()
	for i, err := range d.pool.Add(others, true) {
		if err != nil {
			// A transaction after a dropped one of the same sender: its nonce is too high now.
			d.logger.Debug("L1's pool does not take a transaction back", "tx", others[i].Hash(), "err", err)
		}
	}
	return nil
}

// waiting are the transactions in the pool that are wanted. Blob transactions have their blobs with them.
func (d *driver) waiting(unwanted map[common.Hash]bool) []*types.Transaction {
	var waiting []*types.Transaction
	add := func(tx *types.Transaction) {
		if tx != nil && !unwanted[tx.Hash()] {
			waiting = append(waiting, tx)
		}
	}
	runnable, blocked := d.pool.Content()
	for _, content := range []map[common.Address][]*types.Transaction{runnable, blocked} {
		for _, txs := range content {
			for _, tx := range txs {
				add(tx)
			}
		}
	}
	// The content is without blob transactions.
	blobs, _ := d.pool.Pending(txpool.PendingFilter{BlobTxs: true, BlobVersion: types.BlobSidecarVersion1})
	for _, txs := range blobs {
		for _, tx := range txs {
			add(tx.Resolve())
		}
	}
	return waiting
}
