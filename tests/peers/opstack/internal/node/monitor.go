package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/ports"
	"crosscheck.dev/opstack/internal/relay"
	"github.com/ethereum-optimism/optimism/op-interop-mon/monitor"
	"github.com/ethereum-optimism/optimism/op-service/client"
	"github.com/ethereum-optimism/optimism/op-service/eth"
	opmetrics "github.com/ethereum-optimism/optimism/op-service/metrics"
	oprpc "github.com/ethereum-optimism/optimism/op-service/rpc"
	"github.com/ethereum-optimism/optimism/op-service/sources"
)

// Monitor is an op-interop-mon. What it makes of a message stands in its log only: its metrics count messages, once a second.
type Monitor struct {
	config *monitor.CLIConfig
	logger log.Logger
	// ways are its own ways to the execution clients, and urls where they begin, by chain.
	ways    map[uint64]*relay.Relay
	urls    map[uint64]string
	turn    sync.Mutex
	service *monitor.InteropMonitorService

	mu     sync.Mutex
	judged map[judgedBlock][]Judgement
}

// Judgement is what op-interop-mon made of a message of a block, and when it did so first.
type Judgement struct {
	// Status is its word: valid, invalid, expired, timestamp_mismatch or unknown.
	Status string
	At     time.Time
}

// judgedBlock names a block as op-interop-mon logs it.
type judgedBlock struct {
	chain, number uint64
	// hash is the beginning of it.
	hash string
}

// maxJudged bounds how many blocks are kept: far more than a test makes.
const maxJudged = 10_000

// judgedLine is what op-interop-mon 1.19.6 logs of each look at a message.
const judgedLine = "updated job"

// judgedJob reads the message that was looked at.
var judgedJob = regexp.MustCompile(`executing: (\d+)@(\d+):(0x[0-9a-f]{8}),.* status: ([a-z_ 0-9:]+)}$`)

// StartMonitor starts an op-interop-mon for chains, given with the URLs of their execution clients.
func StartMonitor(ctx context.Context, chains map[*network.Chain]string, logger log.Logger) (*Monitor, error) {
	free, err := ports.Free(2)
	if err != nil {
		return nil, fmt.Errorf("no ports for op-interop-mon: %w", err)
	}
	m := &Monitor{judged: map[judgedBlock][]Judgement{}, ways: map[uint64]*relay.Relay{}, urls: map[uint64]string{}}
	for chain, url := range chains {
		if m.ways[chain.ID], m.urls[chain.ID], err = through(url); err != nil {
			delete(m.ways, chain.ID)
			return nil, errors.Join(err, m.Close())
		}
	}
	m.config = &monitor.CLIConfig{
		RPCConfig:     oprpc.CLIConfig{ListenAddr: "127.0.0.1", ListenPort: free[0]},
		MetricsConfig: opmetrics.CLIConfig{Enabled: true, ListenAddr: "127.0.0.1", ListenPort: free[1]},
	}
	m.logger = log.NewLogger(&judgementHandler{Handler: logger.Handler(), monitor: m})
	if err := m.Start(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// Start starts it. One that runs is left alone. What it judged before stays known.
func (m *Monitor) Start(ctx context.Context) error {
	m.turn.Lock()
	defer m.turn.Unlock()
	if m.service != nil {
		return nil
	}
	// It reads chains for as long as the context stands that it is started with.
	ctx = context.WithoutCancel(ctx)
	clients, err := m.clients(ctx)
	if err != nil {
		return err
	}
	service, err := monitor.InteropMonitorServiceFromClients(ctx, "1.19.6", m.config, clients, m.logger)
	if err != nil {
		return fmt.Errorf("cannot set up op-interop-mon: %w", err)
	}
	if err := service.Start(ctx); err != nil {
		return errors.Join(fmt.Errorf("cannot start op-interop-mon: %w", err), stopMonitor(service))
	}
	m.service = service
	return nil
}

// clients are those that op-interop-mon makes for itself, but with a logger: without one, its own end the program at the first receipts
// that they are refused.
func (m *Monitor) clients(ctx context.Context) (map[eth.ChainID]*sources.EthClient, error) {
	clients := map[eth.ChainID]*sources.EthClient{}
	for id, url := range m.urls {
		connection, err := client.NewRPC(ctx, m.logger, url)
		if err != nil {
			return nil, fmt.Errorf("op-interop-mon cannot reach the execution client of chain %d: %w", id, err)
		}
		clients[eth.ChainIDFromUInt64(id)], err = sources.NewEthClient(connection, m.logger, nil, sources.DefaultEthClientConfig(rememberedReceipts))
		if err != nil {
			return nil, fmt.Errorf("op-interop-mon cannot read the execution client of chain %d: %w", id, err)
		}
	}
	return clients, nil
}

// rememberedReceipts is how many blocks' receipts op-interop-mon keeps.
const rememberedReceipts = 1000

// Slow has all that it reads come later. Zero: at once.
func (m *Monitor) Slow(delay time.Duration) {
	for _, way := range m.ways {
		way.Slow(delay)
	}
}

// Stop ends it.
func (m *Monitor) Stop() error {
	m.turn.Lock()
	defer m.turn.Unlock()
	if m.service == nil {
		return nil
	}
	err := stopMonitor(m.service)
	m.service = nil
	return err
}

func stopMonitor(service *monitor.InteropMonitorService) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := service.Stop(ctx); err != nil {
		return fmt.Errorf("op-interop-mon did not end well: %w", err)
	}
	return nil
}

// Close ends it for good.
func (m *Monitor) Close() error {
	err := m.Stop()
	for _, way := range m.ways {
		err = errors.Join(err, way.Close())
	}
	return err
}

// Of is what was made of the messages of a block so far, each status once.
func (m *Monitor) Of(chain, number uint64, hash common.Hash) []Judgement {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Judgement(nil), m.judged[judgedBlock{chain, number, hash.Hex()[:10]}]...)
}

func (m *Monitor) add(job string, at time.Time) {
	parts := judgedJob.FindStringSubmatch(job)
	if parts == nil {
		return
	}
	chain, _ := strconv.ParseUint(parts[1], 10, 64)
	number, _ := strconv.ParseUint(parts[2], 10, 64)
	block := judgedBlock{chain, number, parts[3]}
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.judged[block]
	if len(known) == 0 && len(m.judged) >= maxJudged {
		return
	}
	for _, judgement := range known {
		if judgement.Status == parts[4] {
			return
		}
	}
	m.judged[block] = append(known, Judgement{Status: parts[4], At: at})
}

type judgementHandler struct {
	slog.Handler
	monitor *Monitor
}

// Enabled takes judgements even where the log leaves their level out.
func (h *judgementHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelDebug || h.Handler.Enabled(ctx, level)
}

func (h *judgementHandler) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == judgedLine {
		record.Attrs(func(attr slog.Attr) bool {
			if attr.Key == "job" {
				h.monitor.add(attr.Value.String(), record.Time)
			}
			return true
		})
	}
	if !h.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

func (h *judgementHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &judgementHandler{Handler: h.Handler.WithAttrs(attrs), monitor: h.monitor}
}

func (h *judgementHandler) WithGroup(name string) slog.Handler {
	return &judgementHandler{Handler: h.Handler.WithGroup(name), monitor: h.monitor}
}
