package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/log"

	"crosscheck.dev/opstack/internal/network"
	"crosscheck.dev/opstack/internal/relay"
)

// Kona is a kona-node, a program of its own. It derives, and has no static peers: others dial it.
type Kona struct {
	Chain *network.Chain

	options KonaOptions
	user    *relay.Relay

	mu      sync.Mutex
	running *program
	// last is the peer that it was started as last.
	last *Identity
}

// KonaOptions say how a kona-node runs.
type KonaOptions struct {
	Name string
	// Program is where the kona-node program is.
	Program string
	// Dir is where its files go, Output the file to which its log is appended.
	Dir, Output string
	L1          L1
	JWT         *JWT
	Execution   *Execution
	// Port is where its JSON-RPC listens.
	Port   int
	Logger log.Logger
}

// KonaProgram finds the kona-node program: the one that $KONA_NODE names, or the one that was installed beside this program.
func KonaProgram() (string, error) {
	if named := os.Getenv("KONA_NODE"); named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("KONA_NODE names no program: %w", err)
		}
		return filepath.Abs(named)
	}
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find the kona-node program: %w", err)
	}
	program := filepath.Join(filepath.Dir(own), "kona", "bin", "kona-node")
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("there is no kona-node program at %s: run tests/peers/opstack/kona, or set KONA_NODE", program)
	}
	return program, nil
}

// NewKona prepares a kona-node. Its JSON-RPC has its address from now on.
func NewKona(chain *network.Chain, options KonaOptions) (*Kona, error) {
	user, err := relay.New()
	if err != nil {
		return nil, err
	}
	return &Kona{Chain: chain, options: options, user: user}, nil
}

// RPC is the URL of the JSON-RPC server.
func (k *Kona) RPC() string { return k.user.URL() }

// Start starts the node as this peer. One that runs is left alone.
func (k *Kona) Start(identity *Identity) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running != nil {
		return nil
	}
	config := filepath.Join(k.options.Dir, k.options.Name+"-rollup.json")
	text, err := konaRollup(k.Chain)
	if err != nil {
		return err
	}
	if err := os.WriteFile(config, text, 0o644); err != nil {
		return fmt.Errorf("cannot write kona-node's rollup configuration: %w", err)
	}
	if k.running, err = startProgram(k.options.Program, k.arguments(config, identity), k.options.Output); err != nil {
		return err
	}
	k.last = identity
	return k.user.Open(fmt.Sprintf("127.0.0.1:%d", k.options.Port))
}

// Resume starts the node as the peer that it was last.
func (k *Kona) Resume() error {
	k.mu.Lock()
	last := k.last
	k.mu.Unlock()
	if last == nil {
		return errors.New("kona-node was never started")
	}
	return k.Start(last)
}

func (k *Kona) arguments(config string, identity *Identity) []string {
	port := fmt.Sprint(identity.Port)
	return []string{
		"node", "--chain", fmt.Sprint(k.Chain.ID), "--l2-config-file", config,
		"--l1-eth-rpc", k.options.L1.RPC, "--l1-beacon", k.options.L1.Beacon,
		"--l2-engine-rpc", k.options.Execution.Engine(), "--l2-engine-jwt-secret", k.options.JWT.Path,
		"--rpc.addr", "127.0.0.1", "--port", fmt.Sprint(k.options.Port),
		"--p2p.listen.ip", "127.0.0.1", "--p2p.listen.tcp", port, "--p2p.listen.udp", port,
		"--p2p.no-discovery", "--p2p.priv.raw", identity.secret,
		"--p2p.bootstore", filepath.Join(k.options.Dir, k.options.Name+"-bootstore"),
		"--p2p.unsafe.block.signer", crypto.PubkeyToAddress(k.Chain.SequencerKey.PublicKey).Hex(),
	}
}

// konaRollup is the chain's rollup configuration as kona-node 1.0.0-rc.1 takes it: it refuses fields that it does not know, and
// asks for one that op-node does not have any more.
func konaRollup(chain *network.Chain) ([]byte, error) {
	config := *chain.Rollup
	config.Genesis.SystemConfig.MarshalPreHolocene = true
	text, err := json.Marshal(&config)
	if err != nil {
		return nil, fmt.Errorf("cannot write the rollup configuration of chain %d: %w", chain.ID, err)
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("cannot read the rollup configuration of chain %d: %w", chain.ID, err)
	}
	none, err := json.Marshal(common.Address{})
	if err != nil {
		return nil, err
	}
	fields["protocol_versions_address"] = none
	return json.MarshalIndent(fields, "", "  ")
}

// Stop ends the node.
func (k *Kona) Stop() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running == nil {
		return nil
	}
	k.user.Shut()
	k.running.stop()
	k.running = nil
	return nil
}

// Slow has its JSON-RPC answer later. Zero: at once.
func (k *Kona) Slow(delay time.Duration) { k.user.Slow(delay) }

// Close ends the node for good, and gives up its address.
func (k *Kona) Close() error {
	return errors.Join(k.Stop(), k.user.Close())
}
