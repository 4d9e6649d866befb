package node

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/params"
	"github.com/urfave/cli/v2"

	"crosscheck.dev/opstack/internal/network"
	"github.com/ethereum-optimism/optimism/op-node/config"
	"github.com/ethereum-optimism/optimism/op-node/flags"
	"github.com/ethereum-optimism/optimism/op-node/p2p"
	p2pcli "github.com/ethereum-optimism/optimism/op-node/p2p/cli"
	"github.com/ethereum-optimism/optimism/op-node/rollup/driver"
	"github.com/ethereum-optimism/optimism/op-node/rollup/sync"
	oprpc "github.com/ethereum-optimism/optimism/op-service/rpc"
	"github.com/ethereum-optimism/optimism/op-service/sources"
)

// L1 is where rollup nodes and batchers find L1.
type L1 struct {
	RPC    string
	Beacon string
	Config *params.ChainConfig
}

// RollupOptions say how a rollup node runs, by itself or inside op-supernode.
type RollupOptions struct {
	Name      string
	Dir       string
	L1        L1
	JWT       *JWT
	Execution *Execution
	Identity  *Identity
	// Peers are the multiaddresses that its gossip stays connected to.
	Peers []string
	// Sequencer makes it build blocks, and sign them.
	Sequencer bool
	// FollowSource is the URL of the node whose safe heads it takes over. Empty: it derives for itself.
	FollowSource string
	Logger       log.Logger
}

// sequencerConfDepth keeps sequenced blocks off L1's newest blocks, as operators do.
const sequencerConfDepth = 2

// rollupConfig is op-node's configuration.
func rollupConfig(chain *network.Chain, options RollupOptions) (*config.Config, error) {
	gossip, err := gossipConfig(chain, options)
	if err != nil {
		return nil, err
	}
	cfg := &config.Config{
		L1: &config.L1EndpointConfig{
			L1NodeAddr:       options.L1.RPC,
			L1RPCKind:        sources.RPCKindStandard,
			BatchSize:        20,
			HttpPollInterval: 250 * time.Millisecond,
			MaxConcurrency:   10,
		},
		L1ChainConfig: options.L1.Config,
		L2: &config.L2EndpointConfig{
			L2EngineAddr:      options.Execution.Engine(),
			L2EngineJWTSecret: options.JWT.Secret,
		},
		L2FollowSource: &config.L2FollowSourceConfig{L2RPCAddr: options.FollowSource},
		DependencySet:  chain.DependencySet,
		Beacon:         &config.L1BeaconEndpointConfig{BeaconAddr: options.L1.Beacon},
		Driver:         driver.Config{SequencerEnabled: options.Sequencer, SequencerConfDepth: sequencerConfDepth},
		Rollup:         *chain.Rollup,
		RPC:            oprpc.CLIConfig{ListenAddr: "127.0.0.1", EnableAdmin: true},
		P2P:            gossip,
		// The unsafe block signer is read from L1 this often.
		RuntimeConfigReloadInterval: 10 * time.Second,
		L1EpochPollInterval:         2 * time.Second,
		Sync:                        syncConfig(options),
		ConfigPersistence:           config.DisabledConfigPersistence{},
		ExperimentalOPStackAPI:      true,
	}
	if options.Sequencer {
		cfg.P2PSigner = &signerSetup{key: chain.SequencerKey}
	}
	// Of a follower it says that the follower derives nothing.
	cfg.SafeDBPath = options.Dir + "/" + options.Name + "-safedb"
	return cfg, nil
}

// syncConfig lets a follower catch up through its execution client, as a node in following mode does.
func syncConfig(options RollupOptions) sync.Config {
	mode := sync.CLSync
	if options.FollowSource != "" {
		mode = sync.ELSync
	}
	return sync.Config{
		SyncMode:               mode,
		L2FollowSourceEndpoint: options.FollowSource,
		NeedInitialResetEngine: options.Sequencer && options.FollowSource != "",
	}
}

// gossipConfig is read from op-node's own flags, so that everything else has op-node's defaults.
func gossipConfig(chain *network.Chain, options RollupOptions) (*p2p.Config, error) {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	for _, f := range flags.P2PFlags(flags.EnvVarPrefix) {
		if err := f.Apply(set); err != nil {
			return nil, fmt.Errorf("cannot prepare op-node's flags: %w", err)
		}
	}
	port := fmt.Sprint(options.Identity.Port)
	for name, value := range map[string]string{
		flags.ListenIPName:         "127.0.0.1",
		flags.ListenTCPPortName:    port,
		flags.AdvertiseIPName:      "127.0.0.1",
		flags.AdvertiseTCPPortName: port,
		flags.NoDiscoveryName:      "true",
		flags.DiscoveryPathName:    "memory",
		flags.PeerstorePathName:    "memory",
		flags.BootnodesName:        "",
		flags.StaticPeersName:      strings.Join(options.Peers, ","),
		flags.P2PPrivRawName:       options.Identity.secret,
	} {
		if err := set.Set(name, value); err != nil {
			return nil, fmt.Errorf("op-node does not take %q for %s: %w", value, name, err)
		}
	}
	gossip, err := p2pcli.NewConfig(cli.NewContext(&cli.App{}, set, nil), chain.Rollup.BlockTime)
	if err != nil {
		return nil, fmt.Errorf("op-node does not take its gossip configuration: %w", err)
	}
	return gossip, nil
}
