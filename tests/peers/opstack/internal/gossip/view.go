package gossip

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// view is what an attester sees of a chain.
type view interface {
	crossSafe(ctx context.Context) (eth.BlockID, error)
	block(ctx context.Context, hash common.Hash) (*types.Block, error)
	// canonical is the block of a number. nil: the head.
	canonical(ctx context.Context, number *big.Int) (*types.Block, error)
	close()
}

// rpcView asks a rollup node and an execution client.
type rpcView struct {
	statusURL string
	status    *rpc.Client
	execution *ethclient.Client
}

func dialView(ctx context.Context, statusURL, executionURL string) (*rpcView, error) {
	status, err := rpc.DialContext(ctx, statusURL)
	if err != nil {
		return nil, fmt.Errorf("cannot dial %s: %w", statusURL, err)
	}
	execution, err := ethclient.DialContext(ctx, executionURL)
	if err != nil {
		status.Close()
		return nil, fmt.Errorf("cannot dial %s: %w", executionURL, err)
	}
	return &rpcView{statusURL: statusURL, status: status, execution: execution}, nil
}

func (v *rpcView) crossSafe(ctx context.Context) (eth.BlockID, error) {
	var status eth.SyncStatus
	if err := v.status.CallContext(ctx, &status, "optimism_syncStatus"); err != nil {
		return eth.BlockID{}, fmt.Errorf("cannot read the status of %s: %w", v.statusURL, err)
	}
	return status.SafeL2.ID(), nil
}

func (v *rpcView) block(ctx context.Context, hash common.Hash) (*types.Block, error) {
	block, err := v.execution.BlockByHash(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("cannot read block %s from the execution client: %w", hash, err)
	}
	return block, nil
}

func (v *rpcView) canonical(ctx context.Context, number *big.Int) (*types.Block, error) {
	block, err := v.execution.BlockByNumber(ctx, number)
	if err != nil {
		return nil, fmt.Errorf("cannot read block %v from the execution client: %w", number, err)
	}
	return block, nil
}

func (v *rpcView) close() {
	v.status.Close()
	v.execution.Close()
}
