package sidecar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// TOML is the configuration as crosscheck reads it.
func (c *Config) TOML() string {
	var t tomlText
	t.text("data_dir", c.DataDir())
	c.servers(&t)
	c.rules(&t)
	for i := range c.Chains {
		c.Chains[i].write(&t)
	}
	return t.String()
}

// Write writes the configuration to its file, and makes the directories.
func (c *Config) Write() error {
	if err := os.MkdirAll(c.DataDir(), 0o755); err != nil {
		return fmt.Errorf("cannot make crosscheck's data directory: %w", err)
	}
	if err := os.WriteFile(c.File(), []byte(c.TOML()), 0o644); err != nil {
		return fmt.Errorf("cannot write crosscheck's configuration: %w", err)
	}
	return nil
}

func (c *Config) servers(t *tomlText) {
	t.section("log")
	t.text("format", "json")
	t.optional("level", c.LogLevel)
	t.section("rpc")
	t.text("addr", address(c.Ports.RPC))
	if c.Admin {
		t.value("admin", true)
	}
	t.section("http")
	t.text("addr", address(c.Ports.HTTP))
	if c.serves() {
		t.section("follow")
		t.text("mode", string(c.Follow))
		t.text("addr", address(c.Ports.Follow))
	}
}

func (c *Config) rules(t *tomlText) {
	t.section("l1")
	t.optional("execution", c.L1)
	t.section("sources")
	t.duration("poll_interval", c.PollInterval)
	t.duration("timeout", c.RequestTimeout)
	t.section("interop")
	t.number("message_expiry_window", uint64(c.MessageExpiry/time.Second))
	t.section("consolidation")
	t.optional("deposits", c.Deposits)
}

func (c *ChainConfig) write(t *tomlText) {
	t.section(fmt.Sprintf("chains.%d", c.ID))
	t.value("execution", c.Execution)
	t.number("quorum", uint64(c.Quorum))
	t.optional("rollup_node", c.RollupNode)
	t.optional("follow_upstream", c.FollowUpstream)
	t.number("block_time", c.BlockTime)
	t.value("interop_time", c.InteropTime)
	if len(c.DependencySet) > 0 {
		t.value("dependency_set", c.DependencySet)
	}
	t.address("system_config", c.SystemConfig)
	t.address("unsafe_block_signer", c.Signer)
	t.address("attester", c.Attester)
	t.duration("safe_stall", c.SafeStall)
	t.section(fmt.Sprintf("chains.%d.p2p", c.ID))
	listen := []string{}
	if c.P2PPort != 0 {
		listen = append(listen, fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", c.P2PPort))
	}
	t.value("listen", listen)
	if len(c.StaticPeers) > 0 {
		t.value("static_peers", c.StaticPeers)
	}
	if c.SignerGrace != nil {
		t.text("signer_grace", written(*c.SignerGrace))
	}
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// written is a duration with a unit that crosscheck knows; it knows none with a fraction.
func written(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}

// tomlText collects lines. A section appears once it has an entry.
type tomlText struct {
	strings.Builder
	pending string
}

func (t *tomlText) section(name string) { t.pending = name }

// value writes a value as JSON, which for texts, whole numbers, booleans and lists of them is TOML, too.
func (t *tomlText) value(key string, value any) {
	if t.pending != "" {
		fmt.Fprintf(t, "\n[%s]\n", t.pending)
		t.pending = ""
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("a text, a number, a boolean or a list of them was not written: %v", err))
	}
	fmt.Fprintf(t, "%s = %s", key, line.String())
}

func (t *tomlText) text(key, value string) { t.value(key, value) }

func (t *tomlText) optional(key, value string) {
	if value != "" {
		t.value(key, value)
	}
}

func (t *tomlText) number(key string, value uint64) {
	if value != 0 {
		t.value(key, value)
	}
}

func (t *tomlText) duration(key string, value time.Duration) {
	if value != 0 {
		t.text(key, written(value))
	}
}

func (t *tomlText) address(key string, value common.Address) {
	if value != (common.Address{}) {
		t.text(key, strings.ToLower(value.Hex()))
	}
}
