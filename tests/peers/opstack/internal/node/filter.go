package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/ports"
	"github.com/ethereum-optimism/optimism/op-interop-filter/filter"
	filterflags "github.com/ethereum-optimism/optimism/op-interop-filter/flags"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

// Filter is an op-interop-filter.
type Filter struct {
	dir    string
	port   int
	logger log.Logger

	mu      sync.Mutex
	service *filter.Service
	// chains are those that it was started with last.
	chains map[*network.Chain]string
}

// NewFilter prepares a filter. It has its address from now on: execution clients that shall ask it are told the address before
// they start, and it reads them afterwards.
func NewFilter(dir string, logger log.Logger) (*Filter, error) {
	free, err := ports.Free(1)
	if err != nil {
		return nil, fmt.Errorf("no port for op-interop-filter: %w", err)
	}
	return &Filter{dir: dir, port: free[0], logger: logger}, nil
}

// StartFilter prepares and starts a filter for chains, given with the URLs of their execution clients.
func StartFilter(ctx context.Context, dir string, chains map[*network.Chain]string, logger log.Logger) (*Filter, error) {
	f, err := NewFilter(dir, logger)
	if err != nil {
		return nil, err
	}
	return f, f.Start(ctx, chains)
}

// RPC is the URL of the JSON-RPC server.
func (f *Filter) RPC() string { return fmt.Sprintf("http://127.0.0.1:%d", f.port) }

// Start starts the filter. One that runs is left alone. The execution clients have to run.
func (f *Filter) Start(ctx context.Context, chains map[*network.Chain]string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.service != nil {
		return nil
	}
	// The service reads chains for as long as the context stands that it is made with.
	service, err := filter.NewService(context.WithoutCancel(ctx), f.config(chains), f.logger)
	if err != nil {
		return fmt.Errorf("cannot set up op-interop-filter: %w", err)
	}
	if err := service.Start(ctx); err != nil {
		return errors.Join(fmt.Errorf("cannot start op-interop-filter: %w", err), stopFilter(service))
	}
	f.service, f.chains = service, chains
	return nil
}

// Resume starts the filter for the chains that it had last.
func (f *Filter) Resume(ctx context.Context) error {
	f.mu.Lock()
	chains := f.chains
	f.mu.Unlock()
	return f.Start(ctx, chains)
}

func (f *Filter) config(chains map[*network.Chain]string) *filter.Config {
	cfg := &filter.Config{
		RollupConfigs:       map[eth.ChainID]*rollup.Config{},
		DataDir:             filepath.Join(f.dir, "filter"),
		BackfillDuration:    24 * time.Hour,
		MessageExpiryWindow: uint64(filter.DefaultMessageExpiryWindow / time.Second),
		PollInterval:        500 * time.Millisecond,
		ValidationInterval:  200 * time.Millisecond,
		RPCConcurrency:      filterflags.DefaultRPCConcurrency,
		FetchConcurrency:    filterflags.DefaultFetchConcurrency,
		RPCAddr:             "127.0.0.1",
		RPCPort:             f.port,
	}
	for chain, url := range chains {
		cfg.L2RPCs = append(cfg.L2RPCs, url)
		cfg.RollupConfigs[eth.ChainIDFromUInt64(chain.ID)] = chain.Rollup
	}
	return cfg
}

// Stop ends the filter. Its data stay on disk.
func (f *Filter) Stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.service == nil {
		return nil
	}
	err := stopFilter(f.service)
	f.service = nil
	return err
}

func stopFilter(service *filter.Service) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := service.Stop(ctx); err != nil {
		return fmt.Errorf("op-interop-filter did not end well: %w", err)
	}
	return nil
}
