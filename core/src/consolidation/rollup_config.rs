//! [`RollupConfig`]: what derivation must know of a chain, parsed once from `optimism_rollupConfig`.
//!
//! Layout: op-node, `op-node/rollup/types.go` (`Config`); kona's names for the same values are read too.

use super::deposits::{OperatorFee, SystemConfig};
use super::fee_parameters::Eip1559;
use super::{ForkSchedule, UnknownForks, chain_by_id_or_name};
use alloy::eips::BlockNumHash;
use alloy::primitives::{Address, B64, B256, U256};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A chain's rollup configuration, as far as attributes depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawConfig")]
pub struct RollupConfig {
    /// The chain.
    pub chain_id: ChainId,
    /// The L1 that it is derived from.
    pub l1_chain_id: u64,
    /// Where it begins.
    pub genesis: RollupGenesis,
    /// Seconds between two blocks, at least 1.
    pub block_time: u64,
    /// When its forks take force.
    pub forks: ForkSchedule,
    /// The forks in it that this build does not know.
    pub unknown_forks: UnknownForks,
    /// Whether the gas that Karst's first block got for its upgrade stays in the gas limit of those after it.
    pub keep_karst_upgrade_gas: bool,
    /// Who emits `TransactionDeposited` on L1: the OptimismPortal.
    pub deposit_contract: Address,
    /// Who emits `ConfigUpdate` on L1.
    pub system_config: Address,
    /// What 0,0 in the system config's EIP-1559 parameters means. `None`: the configuration does not say.
    pub canyon_fees: Option<Eip1559>,
    /// L1 origins before this time have their blob base fee by Cancun's parameters, regardless of those in
    /// force on L1.
    pub pectra_blob_schedule: Option<UnixSeconds>,
}

/// Where a chain begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupGenesis {
    /// The L1 block that the first L2 block has as its origin.
    pub l1: BlockNumHash,
    /// The first L2 block.
    pub l2: BlockNumHash,
    /// Its timestamp.
    pub time: UnixSeconds,
    /// The system config that it starts with.
    pub system_config: SystemConfig,
}

/// A rollup configuration that no chain can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("block_time is 0: it must be 1 s or more")]
pub struct RollupConfigError;

#[derive(Deserialize)]
struct RawConfig {
    genesis: RawGenesis,
    block_time: u64,
    l1_chain_id: u64,
    #[serde(deserialize_with = "chain_by_id_or_name")]
    l2_chain_id: ChainId,
    #[serde(flatten)]
    forks: ForkSchedule,
    deposit_contract_address: Address,
    l1_system_config_address: Address,
    chain_op_config: Option<RawFees>,
    pectra_blob_schedule_time: Option<u64>,
    #[serde(default)]
    keep_karst_upgrade_gas: bool,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct RawGenesis {
    l1: BlockNumHash,
    l2: BlockNumHash,
    l2_time: u64,
    system_config: RawSystemConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFees {
    eip1559_elasticity: u32,
    #[serde(alias = "eip1559DenominatorCanyon")]
    eip1559_denominator_canyon: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSystemConfig {
    #[serde(alias = "batcherAddress")]
    batcher_addr: Address,
    overhead: U256,
    scalar: U256,
    gas_limit: u64,
    eip1559_params: Option<B64>,
    eip1559_denominator: Option<u32>,
    eip1559_elasticity: Option<u32>,
    operator_fee_params: Option<B256>,
    operator_fee_scalar: Option<u32>,
    operator_fee_constant: Option<u64>,
    min_base_fee: Option<u64>,
    da_footprint_gas_scalar: Option<u16>,
}

impl From<RawSystemConfig> for SystemConfig {
    fn from(raw: RawSystemConfig) -> Self {
        let apart = Eip1559 {
            denominator: raw.eip1559_denominator.unwrap_or_default(),
            elasticity: raw.eip1559_elasticity.unwrap_or_default(),
        };
        let fee = OperatorFee {
            scalar: raw.operator_fee_scalar.unwrap_or_default(),
            constant: raw.operator_fee_constant.unwrap_or_default(),
        };
        Self {
            batcher: raw.batcher_addr,
            overhead: raw.overhead.into(),
            scalar: raw.scalar.into(),
            gas_limit: raw.gas_limit,
            eip1559: raw.eip1559_params.map_or(apart, |params| Eip1559::from_be_bytes(params.0)),
            operator_fee: raw.operator_fee_params.map_or(fee, OperatorFee::from_word),
            min_base_fee: raw.min_base_fee.unwrap_or_default(),
            da_footprint_gas_scalar: raw.da_footprint_gas_scalar.unwrap_or_default(),
        }
    }
}

impl TryFrom<RawConfig> for RollupConfig {
    type Error = RollupConfigError;

    fn try_from(raw: RawConfig) -> Result<Self, Self::Error> {
        if raw.block_time == 0 {
            return Err(RollupConfigError);
        }
        let canyon_fees = raw.chain_op_config.and_then(|fees| {
            let denominator = fees.eip1559_denominator_canyon?;
            Some(Eip1559 { denominator, elasticity: fees.eip1559_elasticity })
        });
        Ok(Self {
            chain_id: raw.l2_chain_id,
            l1_chain_id: raw.l1_chain_id,
            genesis: RollupGenesis {
                l1: raw.genesis.l1,
                l2: raw.genesis.l2,
                time: UnixSeconds(raw.genesis.l2_time),
                system_config: raw.genesis.system_config.into(),
            },
            block_time: raw.block_time,
            forks: raw.forks,
            unknown_forks: UnknownForks::among(&raw.rest),
            keep_karst_upgrade_gas: raw.keep_karst_upgrade_gas,
            deposit_contract: raw.deposit_contract_address,
            system_config: raw.l1_system_config_address,
            canyon_fees,
            pectra_blob_schedule: raw.pectra_blob_schedule_time.map(UnixSeconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consolidation::Fork;
    use crate::consolidation::sample::op_mainnet_json;
    use alloy::primitives::{address, b256};
    use rstest::rstest;
    use serde_json::{Value, json};

    #[test]
    fn reads_the_configuration_that_op_node_serves() {
        let config: RollupConfig = serde_json::from_value(op_mainnet_json()).unwrap();
        assert_eq!(config.chain_id, ChainId::from(10));
        assert_eq!(config.genesis.l2.number, 105_235_063);
        assert_eq!(
            config.genesis.system_config.batcher,
            address!("6887246668a3b87f54deb3b94ba47a6f63f32985")
        );
        assert_eq!(config.genesis.system_config.scalar, B256::from(U256::from(684_000)));
        assert_eq!(config.deposit_contract, address!("beb5fc579115071764c7423a4f12edde41f106ed"));
        assert_eq!(config.canyon_fees, Some(Eip1559 { denominator: 250, elasticity: 6 }));
        assert_eq!(config.forks.activation(Fork::Jovian), Some(UnixSeconds(1_764_691_201)));
        assert_eq!(config.forks.activation(Fork::Lagoon), None);
    }

    #[rstest]
    #[case::a_number(json!(10), Some(10))]
    #[case::decimal_text(json!("10"), Some(10))]
    #[case::a_name(json!("optimism"), Some(10))]
    #[case::a_name_of_two_words(json!("optimism-sepolia"), Some(11_155_420))]
    #[case::another_name(json!("base"), Some(8453))]
    #[case::unichain(json!("unichain"), Some(130))]
    #[case::no_name_of_a_chain(json!("optimysm"), None)]
    #[case::another_case(json!("OPTIMISM"), None)]
    #[case::nothing(json!(""), None)]
    #[case::null(Value::Null, None)]
    fn the_chain_is_named_by_its_id_or_by_name(#[case] chain: Value, #[case] expected: Option<u64>) {
        let mut value = op_mainnet_json();
        value["l2_chain_id"] = chain;
        let config = serde_json::from_value::<RollupConfig>(value);
        assert_eq!(config.ok().map(|config| config.chain_id), expected.map(ChainId::from));
    }

    #[test]
    fn reads_the_field_names_of_kona() {
        let mut value = op_mainnet_json();
        value["genesis"]["system_config"] = json!({
            "batcherAddress": Address::repeat_byte(1), "overhead": "0xbc", "scalar": "0xa6fe0", "gasLimit": 7,
            "baseFeeScalar": null, "blobBaseFeeScalar": null, "eip1559Denominator": 250, "eip1559Elasticity": 6,
            "operatorFeeScalar": 3, "operatorFeeConstant": 4, "minBaseFee": 5, "daFootprintGasScalar": 6,
        });
        let config: RollupConfig = serde_json::from_value(value).unwrap();
        let expected = SystemConfig {
            batcher: Address::repeat_byte(1),
            overhead: b256!("00000000000000000000000000000000000000000000000000000000000000bc"),
            scalar: b256!("00000000000000000000000000000000000000000000000000000000000a6fe0"),
            gas_limit: 7,
            eip1559: Eip1559 { denominator: 250, elasticity: 6 },
            operator_fee: OperatorFee { scalar: 3, constant: 4 },
            min_base_fee: 5,
            da_footprint_gas_scalar: 6,
        };
        assert_eq!(config.genesis.system_config, expected);
    }

    #[rstest]
    #[case::eip1559("eip1559Params", json!("0x000000fa00000006"))]
    #[case::operator_fee("operatorFeeParams", json!("0x00000000000000000000000000000000000000000000000700000000000000ff"))]
    fn reads_packed_parameters(#[case] name: &str, #[case] packed: Value) {
        let mut value = op_mainnet_json();
        value["genesis"]["system_config"][name] = packed;
        let config: RollupConfig = serde_json::from_value(value).unwrap();
        let system = config.genesis.system_config;
        match name {
            "eip1559Params" => assert_eq!(system.eip1559, Eip1559 { denominator: 250, elasticity: 6 }),
            _ => assert_eq!(system.operator_fee, OperatorFee { scalar: 7, constant: 255 }),
        }
    }

    #[rstest]
    #[case::no_block_time("block_time", json!(0))]
    #[case::no_deposit_contract("deposit_contract_address", Value::Null)]
    #[case::forks_out_of_order("canyon_time", json!(u64::MAX))]
    fn refuses(#[case] name: &str, #[case] bad: Value) {
        let mut value = op_mainnet_json();
        value[name] = bad;
        assert!(serde_json::from_value::<RollupConfig>(value).is_err());
    }
}
