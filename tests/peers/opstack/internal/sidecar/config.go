// Package sidecar runs the real crosscheck program beside a stack, and reads what it says: its log, its JSON-RPC, its
// health, its metrics and the status that it serves to followers. It knows no scenario, judges no answer, and never
// changes what the stack does.
package sidecar

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"crosscheck.dev/opstack/internal/ports"
)

// FollowMode says what crosscheck serves to nodes that follow it.
type FollowMode string

// The modes. The zero value is the same as FollowOff.
const (
	FollowOff      FollowMode = "off"
	FollowClamp    FollowMode = "clamp"
	FollowAttested FollowMode = "attested"
	FollowVerified FollowMode = "verified"
)

// Config is what crosscheck is told. What is left zero is left out of its file, and has crosscheck's default.
type Config struct {
	// Dir holds everything: crosscheck.toml, crosscheck.log, and the data directory.
	Dir   string
	Ports Ports
	// L1 is the URL of L1's execution client.
	L1 string
	// Deposits says who tells which deposits a block must hold: "l1" or "sibling".
	Deposits string
	Follow   FollowMode
	Chains   []ChainConfig
	// MessageExpiry is the protocol's expiry window of messages.
	MessageExpiry time.Duration
	PollInterval  time.Duration
	// RequestTimeout is how long crosscheck waits for an endpoint.
	RequestTimeout time.Duration
	// Admin serves the methods that change something.
	Admin bool
	// LogLevel is a level, or a filter. Empty: info.
	LogLevel string
}

// Ports are where crosscheck's servers listen, on loopback. Follow is used only where followers are served.
type Ports struct {
	RPC, HTTP, Follow int
}

// ChainConfig is one chain as crosscheck is told of it.
type ChainConfig struct {
	ID uint64
	// Execution are the URLs of the chain's execution clients.
	Execution []string
	// Quorum is how many of them must agree. Zero: more than half.
	Quorum int
	// RollupNode is the URL of the node that derives the chain. Empty: the chain is only monitored.
	RollupNode string
	// FollowUpstream is the URL whose status is clamped. Empty: the rollup node's.
	FollowUpstream string
	// BlockTime is in seconds.
	BlockTime uint64
	// InteropTime is when interop activates, in Unix seconds.
	InteropTime uint64
	// DependencySet are the chains whose messages it may execute. Empty: what the rollup node says.
	DependencySet []uint64
	// Signer signs unsafe blocks. Zero: SystemConfig on L1 says who does.
	Signer       common.Address
	SystemConfig common.Address
	// Attester signs attestations. Zero: who signs unsafe blocks.
	Attester common.Address
	// SafeStall is how long the chain's safe heads may stand still. Zero: the default.
	SafeStall time.Duration
	// P2PPort is where gossip listens, on loopback. Zero: crosscheck only dials.
	P2PPort int
	// StaticPeers are multiaddresses that end in a peer id.
	StaticPeers []string
	// SignerGrace is how long a signer that was replaced on L1 is still accepted. Nil: the default.
	SignerGrace *time.Duration
}

// DataDir is where the ledger and the network keys are.
func (c *Config) DataDir() string { return filepath.Join(c.Dir, "data") }

// File is where the configuration is written.
func (c *Config) File() string { return filepath.Join(c.Dir, "crosscheck.toml") }

// LogFile is where the log is kept, of all starts.
func (c *Config) LogFile() string { return filepath.Join(c.Dir, "crosscheck.log") }

// RPC is the URL of crosscheck's JSON-RPC server.
func (c *Config) RPC() string { return loopback(c.Ports.RPC) }

// HTTP is the URL of the server of health and metrics.
func (c *Config) HTTP() string { return loopback(c.Ports.HTTP) }

// FollowURL is what a node that follows a chain is given.
func (c *Config) FollowURL(chain uint64) string {
	return fmt.Sprintf("%s/%d/", loopback(c.Ports.Follow), chain)
}

func (c *Config) serves() bool { return c.Follow != "" && c.Follow != FollowOff }

func loopback(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }

// DrawPorts gives a port to each server that has none, and to the gossip of each chain that is not only monitored.
func (c *Config) DrawPorts() error {
	var wanting []*int
	for _, port := range []*int{&c.Ports.RPC, &c.Ports.HTTP, &c.Ports.Follow} {
		if *port == 0 {
			wanting = append(wanting, port)
		}
	}
	for i := range c.Chains {
		if chain := &c.Chains[i]; chain.P2PPort == 0 && chain.RollupNode != "" {
			wanting = append(wanting, &chain.P2PPort)
		}
	}
	drawn, err := ports.Free(len(wanting))
	if err != nil {
		return fmt.Errorf("cannot draw crosscheck's ports: %w", err)
	}
	for i, port := range wanting {
		*port = drawn[i]
	}
	return nil
}
