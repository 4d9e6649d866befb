package network

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-chain-ops/genesis"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const l1GasLimit = 60_000_000

// l1Genesis is an L1 with every fork up to Osaka. The forks that only change the blob parameters stay off: op-geth's
// engine API takes no payload of them.
func l1Genesis(options Options, chains []*Chain) (*core.Genesis, error) {
	now := uint64(0)
	l1, err := genesis.NewL1GenesisMinimal(&genesis.DevL1DeployConfigMinimal{
		DevL1DeployConfig: genesis.DevL1DeployConfig{
			L1GenesisBlockTimestamp: hexutil.Uint64(options.GenesisTime),
			L1GenesisBlockGasLimit:  l1GasLimit,
		},
		L1ChainID:          eth.ChainIDFromUInt64(L1ChainID),
		L1PragueTimeOffset: &now,
		L1OsakaTimeOffset:  &now,
		BlobScheduleConfig: &params.BlobScheduleConfig{
			Cancun: params.DefaultCancunBlobConfig,
			Prague: params.DefaultPragueBlobConfig,
			Osaka:  params.DefaultOsakaBlobConfig,
		},
	})
	if err != nil {
		return nil, err
	}
	l1.Alloc = types.GenesisAlloc{}
	addSystemContracts(l1.Alloc)
	fund(l1.Alloc)
	for _, chain := range chains {
		addChain(l1.Alloc, chain)
	}
	return l1, nil
}

// addSystemContracts adds the contracts that the protocol itself calls in each L1 block.
func addSystemContracts(alloc types.GenesisAlloc) {
	for address, code := range map[common.Address][]byte{
		params.BeaconRootsAddress:        params.BeaconRootsCode,
		params.HistoryStorageAddress:     params.HistoryStorageCode,
		params.WithdrawalQueueAddress:    params.WithdrawalQueueCode,
		params.ConsolidationQueueAddress: params.ConsolidationQueueCode,
	} {
		alloc[address] = types.Account{Nonce: 1, Code: code, Balance: new(big.Int)}
	}
}

// addChain adds what an L2 chain has on L1: its configuration, its portal for deposits, and a batcher with funds.
func addChain(alloc types.GenesisAlloc, chain *Chain) {
	fund(alloc, chain.BatcherKey)
	signer := addressOf(chain.SequencerKey)
	alloc[contracts.SystemConfig(chain.ID)] = types.Account{
		Nonce:   1,
		Balance: new(big.Int),
		Code:    contracts.SystemConfigCode(),
		Storage: map[common.Hash]common.Hash{contracts.SignerSlot: common.BytesToHash(signer[:])},
	}
	alloc[contracts.Portal(chain.ID)] = types.Account{Nonce: 1, Balance: new(big.Int), Code: contracts.PortalCode()}
}
