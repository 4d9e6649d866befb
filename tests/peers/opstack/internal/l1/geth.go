package l1

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/cmd/utils"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/tracers"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
)

// recommit is how often geth renews a payload while the driver waits for the slot: several times within [lead].
const recommit = 100 * time.Millisecond

// newGeth makes a geth whose chain is in memory. It is not started.
func newGeth(genesis *core.Genesis, dir string, logger log.Logger) (*node.Node, *eth.Ethereum, error) {
	modules := []string{"eth", "net", "web3", "debug", "txpool"}
	n, err := node.New(&node.Config{
		Name:        "l1",
		HTTPHost:    "127.0.0.1",
		HTTPModules: modules,
		WSHost:      "127.0.0.1",
		WSModules:   modules,
		Logger:      logger,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("geth's node: %w", err)
	}
	config := gethConfig(genesis, dir)
	geth, err := eth.New(n, config)
	if err != nil {
		_ = n.Close()
		return nil, nil, fmt.Errorf("geth: %w", err)
	}
	utils.RegisterFilterAPI(n, geth.APIBackend, config)
	n.RegisterAPIs(tracers.APIs(geth.APIBackend))
	return n, geth, nil
}

func gethConfig(genesis *core.Genesis, dir string) *ethconfig.Config {
	config := ethconfig.Defaults
	config.Genesis = genesis
	config.NetworkId = genesis.Config.ChainID.Uint64()
	// A node that wants to sync would take no payload.
	config.SyncMode = ethconfig.FullSync
	// Each state is kept: a branch may begin at any block, and nodes ask for the storage of old ones.
	config.StateScheme = rawdb.HashScheme
	config.NoPruning = true
	config.DatabaseCache, config.TrieCleanCache, config.TrieDirtyCache, config.SnapshotCache = 16, 16, 16, 0
	config.BlobPool.Datadir = filepath.Join(dir, "l1-blobpool")
	config.TxPool.Journal = ""
	config.TxPool.NoLocals = true
	config.Miner.GasCeil = genesis.GasLimit
	config.Miner.Recommit = recommit
	return &config
}
