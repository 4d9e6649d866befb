package node

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-interop-filter/filter"
	filterflags "github.com/ethereum-optimism/optimism/op-interop-filter/flags"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Filter is an op-interop-filter.
type Filter struct {
	service *filter.Service
}

// StartFilter starts a filter for chains, given with the URLs of their execution clients.
func StartFilter(ctx context.Context, dir string, chains map[*network.Chain]string, logger log.Logger) (*Filter, error) {
	cfg := &filter.Config{
		RollupConfigs:       map[eth.ChainID]*rollup.Config{},
		DataDir:             filepath.Join(dir, "filter"),
		BackfillDuration:    time.Hour,
		MessageExpiryWindow: 7 * 24 * 3600,
		PollInterval:        500 * time.Millisecond,
		ValidationInterval:  200 * time.Millisecond,
		RPCConcurrency:      filterflags.DefaultRPCConcurrency,
		FetchConcurrency:    filterflags.DefaultFetchConcurrency,
		RPCAddr:             "127.0.0.1",
	}
	for chain, url := range chains {
		cfg.L2RPCs = append(cfg.L2RPCs, url)
		cfg.RollupConfigs[eth.ChainIDFromUInt64(chain.ID)] = chain.Rollup
	}
	service, err := filter.NewService(ctx, cfg, logger)
	if err != nil {
		return nil, fmt.Errorf("cannot set up op-interop-filter: %w", err)
	}
	if err := service.Start(ctx); err != nil {
		return nil, fmt.Errorf("cannot start op-interop-filter: %w", err)
	}
	return &Filter{service: service}, nil
}

// RPC is the URL of the JSON-RPC server.
func (f *Filter) RPC() string { return f.service.HTTPEndpoint() }

// Stop ends the filter.
func (f *Filter) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := f.service.Stop(ctx); err != nil {
		return fmt.Errorf("op-interop-filter did not end well: %w", err)
	}
	return nil
}
