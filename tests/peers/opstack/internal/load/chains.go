package load

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/proxy"
	interop "github.com/ethereum-optimism/optimism/op-core/interop/messages"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// blockTime is that of the chains, in seconds.
	blockTime = 2
	// lead is how far beyond the present the last block is when the chains begin: op-interop-filter counts as ready only once it has
	// read a block as new as its own start, and long chains take many minutes to build.
	lead = time.Hour
)

// settings are what is read of the configuration that the devnet writes for its sidecar.
type settings struct {
	RPC    struct{ Addr string }
	Chains map[string]struct {
		Execution   []string
		RollupNode  string `toml:"rollup_node"`
		InteropTime uint64 `toml:"interop_time"`
	}
}

// chains are a devnet that has come to its end, and is served on.
type chains struct {
	settings settings
	config   string
	urls     map[*network.Chain]string
	messages []interop.Message
	// proxies stand before the execution clients, for Crosscheck.
	proxies []*proxy.Proxy
	devnet  *exec.Cmd
}

// child starts the program, with its output in a file.
func child(binary, log string, args ...string) (*exec.Cmd, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("cannot make a log: %w", err)
	}
	defer file.Close()
	command := exec.Command(binary, args...)
	command.Stdout, command.Stderr = file, file
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", binary, err)
	}
	return command, nil
}

// end tells a program to end, and waits until it has.
func end(command *exec.Cmd) error {
	if command == nil {
		return nil
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("cannot end %s: %w", command.Path, err)
	}
	return command.Wait()
}

// build has the devnet make its chains, and waits until they are complete.
func build(ctx context.Context, binary, dir string, blocks int) (*chains, error) {
	genesis := time.Now().Add(lead - time.Duration(blocks*blockTime)*time.Second).Unix()
	file := filepath.Join(dir, "crosscheck.toml")
	c := &chains{config: filepath.Join(dir, "beside.toml"), urls: map[*network.Chain]string{}}
	var err error
	c.devnet, err = child(binary, filepath.Join(dir, "devnet.log"), "devnet", "--no-sidecar", "--fast", "--tick", "1", "--stay", "--seed", "14",
		"--blocks", fmt.Sprint(blocks), "--block-time", fmt.Sprint(blockTime), "--genesis-time", fmt.Sprint(genesis), "--dir", dir)
	if err != nil {
		return nil, err
	}
	text, err := awaited(ctx, file)
	if err == nil {
		err = toml.Unmarshal(text, &c.settings)
	}
	for id, chain := range c.settings.Chains {
		if err == nil {
			err = c.add(ctx, id, chain.Execution[0], chain.RollupNode, chain.InteropTime, blocks)
		}
	}
	if err == nil {
		err = c.write(string(text))
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func awaited(ctx context.Context, file string) ([]byte, error) {
	for {
		if text, err := os.ReadFile(file); err == nil {
			return text, nil
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("the devnet writes no %s: %w", file, err)
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(200 * time.Millisecond):
		return nil
	}
}

// add waits until a chain is complete and final, and reads its messages.
func (c *chains) add(ctx context.Context, id, execution, node string, interopTime uint64, blocks int) error {
	client, err := rpc.DialContext(ctx, node)
	if err != nil {
		return fmt.Errorf("cannot reach %s: %w", node, err)
	}
	defer client.Close()
	var config rollup.Config
	if err := client.CallContext(ctx, &config, "optimism_rollupConfig"); err != nil {
		return fmt.Errorf("chain %s has no rollup configuration: %w", id, err)
	}
	for {
		var status eth.SyncStatus
		err := client.CallContext(ctx, &status, "optimism_syncStatus")
		if err == nil && status.FinalizedL2.Number >= uint64(blocks) {
			break
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("chain %s does not come to its end: %w", id, err)
		}
	}
	chain := &network.Chain{ID: config.L2ChainID.Uint64(), Rollup: &config}
	c.urls[chain] = execution
	return c.read(ctx, chain, execution, interopTime)
}

func (c *chains) read(ctx context.Context, chain *network.Chain, execution string, interopTime uint64) error {
	client, err := ethclient.DialContext(ctx, execution)
	if err != nil {
		return fmt.Errorf("cannot reach %s: %w", execution, err)
	}
	defer client.Close()
	head, err := client.BlockNumber(ctx)
	if err != nil {
		return fmt.Errorf("chain %d tells no head: %w", chain.ID, err)
	}
	// Clients bound how much they tell at once.
	for first := uint64(0); first <= head; first += atOnce {
		last := min(first+atOnce-1, head)
		query := ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(first), ToBlock: new(big.Int).SetUint64(last)}
		logs, err := client.FilterLogs(ctx, query)
		if err != nil {
			return fmt.Errorf("chain %d tells no logs of blocks %d to %d: %w", chain.ID, first, last, err)
		}
		c.take(chain, logs, interopTime)
	}
	return nil
}

// atOnce is of how many blocks the logs are asked for at once.
const atOnce = 1000

// take keeps the messages that can be executed.
func (c *chains) take(chain *network.Chain, logs []types.Log, interopTime uint64) {
	for i := range logs {
		timestamp := chain.Rollup.Genesis.L2Time + logs[i].BlockNumber*blockTime
		if timestamp < interopTime+blockTime {
			continue
		}
		c.messages = append(c.messages, interop.Message{
			Identifier: interop.Identifier{
				Origin: logs[i].Address, BlockNumber: logs[i].BlockNumber, LogIndex: uint32(logs[i].Index), Timestamp: timestamp,
				ChainID: eth.ChainIDFromUInt64(chain.ID),
			},
			PayloadHash: crypto.Keccak256Hash(interop.LogToMessagePayload(&logs[i])),
		})
	}
}

// write puts proxies between Crosscheck and the execution clients.
func (c *chains) write(text string) error {
	for _, execution := range c.urls {
		address, err := url.Parse(execution)
		if err != nil {
			return fmt.Errorf("%s is no URL: %w", execution, err)
		}
		between, err := proxy.Start(address.Scheme + "://" + address.Host)
		if err != nil {
			return err
		}
		c.proxies = append(c.proxies, between)
		text = strings.ReplaceAll(text, address.Host, strings.TrimPrefix(between.URL(), "http://"))
	}
	return os.WriteFile(c.config, []byte(text), 0o644)
}

// slow makes the execution clients slow, for Crosscheck.
func (c *chains) slow(by time.Duration) {
	for _, each := range c.proxies {
		each.Set(proxy.Slow(by))
	}
}

func (c *chains) close() error {
	var result error
	for _, each := range c.proxies {
		result = errors.Join(result, each.Close())
	}
	return errors.Join(result, end(c.devnet))
}
