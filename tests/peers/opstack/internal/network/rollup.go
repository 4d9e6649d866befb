package network

import (
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"

	"crosscheck.dev/opstack/internal/contracts"
	"github.com/ethereum-optimism/optimism/op-core/forks"
	opparams "github.com/ethereum-optimism/optimism/op-core/params"
	"github.com/ethereum-optimism/optimism/op-node/rollup"
	"github.com/ethereum-optimism/optimism/op-service/eth"
)

const (
	// sequencingWindow is far longer than a test, so that a batcher that is held back does not change the chain.
	sequencingWindow = 3600
	// The two values below are constants of the protocol by now. The configuration still asks for them.
	sequencerDrift = 1800
	channelTimeout = 50
	// The share of L1's fees that a transaction pays: about what OP Mainnet asks for.
	baseFeeScalar     = 1368
	blobBaseFeeScalar = 810949
)

// rollupConfig describes the chain to a rollup node. It needs the chain's genesis.
func (c *Chain) rollupConfig(options Options, origin *types.Header) *rollup.Config {
	canyon := uint64(denominator)
	config := &rollup.Config{
		Genesis: rollup.Genesis{
			L1:           eth.HeaderBlockID(origin),
			L2:           eth.BlockID{Hash: c.Genesis.ToBlock().Hash()},
			L2Time:       c.Genesis.Timestamp,
			SystemConfig: c.systemConfig(),
		},
		BlockTime:              options.BlockTime,
		MaxSequencerDrift:      sequencerDrift,
		SeqWindowSize:          sequencingWindow,
		ChannelTimeoutBedrock:  channelTimeout,
		L1ChainID:              big.NewInt(L1ChainID),
		L2ChainID:              new(big.Int).SetUint64(c.ID),
		BatchInboxAddress:      contracts.BatchInbox(c.ID),
		DepositContractAddress: contracts.Portal(c.ID),
		L1SystemConfigAddress:  contracts.SystemConfig(c.ID),
		ChainOpConfig: &opparams.OptimismConfig{
			EIP1559Elasticity:        elasticity,
			EIP1559Denominator:       denominatorBedrock,
			EIP1559DenominatorCanyon: &canyon,
		},
	}
	if options.Isthmus {
		config.ActivateAtGenesis(forks.Isthmus)
	} else {
		config.ActivateAt(forks.Lagoon, c.ActivationTime) // All earlier forks are active at genesis.
	}
	return config
}

// systemConfig is the configuration that the first block builds on. What is zero stands for the protocol's default.
func (c *Chain) systemConfig() eth.SystemConfig {
	return eth.SystemConfig{
		BatcherAddr: addressOf(c.BatcherKey),
		Scalar: eth.EncodeScalar(eth.EcotoneScalars{
			BaseFeeScalar:     baseFeeScalar,
			BlobBaseFeeScalar: blobBaseFeeScalar,
		}),
		GasLimit: l2GasLimit,
	}
}
