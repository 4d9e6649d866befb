package network

import (
	"fmt"
	"math"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-chain-ops/genesis"
	"github.com/ethereum-optimism/optimism/op-core/forks"
	nutsstate "github.com/ethereum-optimism/optimism/op-core/nuts/state"
	"github.com/ethereum-optimism/optimism/op-core/predeploys"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	l2GasLimit = 60_000_000
	// The parameters of the base fee. They agree with those in the genesis block's extra data.
	denominatorBedrock = 50
	denominator        = 250
	elasticity         = 6
	// predeployCount is how many addresses there are for predeploys.
	predeployCount = 2048
	// never is an activation time that does not come, and that fits into a signed number.
	never = math.MaxInt64
)

// fill gives a chain its genesis and everything that follows from it.
func (c *Chain) fill(options Options, origin *types.Header, peers []*Chain) error {
	set, err := dependencySet(peers)
	if err != nil {
		return err
	}
	blocks := (options.LagoonDelay + options.BlockTime - 1) / options.BlockTime
	delay := blocks * options.BlockTime
	c.DependencySet = set
	c.ActivationTime = options.GenesisTime + delay
	if options.Isthmus {
		c.ActivationTime = never
	}
	if c.Genesis, err = c.l2Genesis(options, origin, delay); err != nil {
		return fmt.Errorf("its genesis: %w", err)
	}
	c.Rollup = c.rollupConfig(options, origin)
	if err := c.Rollup.Check(); err != nil {
		return fmt.Errorf("its rollup configuration: %w", err)
	}
	return nil
}

// l2Genesis has all forks up to Karst from the start, and Lagoon after the delay; or those up to Isthmus, and no more.
func (c *Chain) l2Genesis(options Options, origin *types.Header, lagoonDelay uint64) (*core.Genesis, error) {
	config := &genesis.DeployConfig{}
	config.L2ChainID = c.ID
	config.L2BlockTime = options.BlockTime
	config.L2GenesisBlockGasLimit = hexutil.Uint64(l2GasLimit)
	config.EIP1559Denominator = denominatorBedrock
	config.EIP1559DenominatorCanyon = denominator
	config.EIP1559Elasticity = elasticity
	if options.Isthmus {
		config.ActivateForkAtGenesis(forks.Isthmus)
	} else {
		config.ActivateForkAtGenesis(forks.Karst)
		config.SetForkTimeOffset(forks.Lagoon, &lagoonDelay)
	}
	l2, err := genesis.NewL2Genesis(config, eth.BlockRefFromHeader(origin))
	if err != nil {
		return nil, err
	}
	// Karst brings L1's Osaka to L2. op-geth's engine API asks for that fork by its own name.
	l2.Config.OsakaTime = l2.Config.KarstTime
	if err := addPredeploys(l2.Alloc); err != nil {
		return nil, err
	}
	fund(l2.Alloc, c.BatcherKey) // A chain's own key, so that no two chains have the same genesis block.
	l2.Alloc[contracts.Emitter] = types.Account{Nonce: 1, Balance: new(big.Int), Code: contracts.EmitterCode()}
	l2.Alloc[contracts.Relay] = types.Account{Nonce: 1, Balance: new(big.Int), Code: contracts.RelayCode()}
	return l2, nil
}

// addPredeploys adds the contracts as Karst left them: the state that Lagoon's upgrade was made for. An address that
// Karst gave nothing has a proxy without an implementation, as on each real chain.
func addPredeploys(alloc types.GenesisAlloc) error {
	karst, err := nutsstate.PreForkState(forks.Lagoon)
	if err != nil {
		return fmt.Errorf("the state before Lagoon: %w", err)
	}
	for address, account := range karst {
		alloc[address] = account
	}
	proxy := karst[predeploys.L1BlockAddr].Code
	for i := range predeployCount {
		address := predeployAddress(i)
		if _, known := alloc[address]; known || address == predeploys.GovernanceTokenAddr {
			continue
		}
		alloc[address] = types.Account{Balance: new(big.Int), Code: proxy, Storage: map[common.Hash]common.Hash{
			genesis.AdminSlot: common.BytesToHash(predeploys.ProxyAdminAddr[:]),
		}}
	}
	alloc[predeploys.EIP4788ContractAddr] = types.Account{Nonce: 1, Balance: new(big.Int), Code: predeploys.EIP4788ContractCode}
	allowInterop(alloc)
	return nil
}

// allowInterop sets the flag without which Lagoon's upgrade refuses a chain of a dependency set: the lowest bit of the
// map of features in development.
func allowInterop(alloc types.GenesisAlloc) {
	name := crypto.Keccak256Hash([]byte("l2devfeatureflags.bitmap")).Big()
	slot := common.BigToHash(name.Sub(name, big.NewInt(1)))
	alloc[predeploys.L2DevFeatureFlagsAddr].Storage[slot] = common.Hash{31: 1}
}

func predeployAddress(i int) common.Address {
	first := common.HexToAddress("0x4200000000000000000000000000000000000000").Big()
	return common.BigToAddress(first.Add(first, big.NewInt(int64(i))))
}
