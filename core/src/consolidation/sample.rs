//! A block of a chain with every fork, and a real chain's rollup configuration, for tests.

use super::{BlockAttributes, FeeParameters, TransactionDigest};
use alloy::primitives::{Address, B256, Bytes};
use crosscheck_p2p::UnixSeconds;
use serde_json::{Value, json};

/// The digests of made-up transactions.
pub fn transactions(encoded: &[&'static str]) -> Vec<TransactionDigest> {
    encoded.iter().map(|tx| TransactionDigest::of(&Bytes::from_static(tx.as_bytes()))).collect()
}

/// A block with these made-up transactions.
pub fn block(encoded: &[&'static str]) -> BlockAttributes {
    let first_deposit = encoded.iter().find(|tx| tx.starts_with('\x7e'));
    BlockAttributes {
        parent_hash: B256::repeat_byte(1),
        timestamp: UnixSeconds(100),
        prev_randao: B256::repeat_byte(2),
        fee_recipient: Address::repeat_byte(3),
        gas_limit: 30_000_000,
        parent_beacon_block_root: Some(B256::repeat_byte(4)),
        withdrawals: Some(0),
        withdrawals_root: Some(B256::repeat_byte(5)),
        fees: Ok(FeeParameters { denominator: 250, elasticity: 6, min_base_fee: Some(7) }),
        transactions: transactions(encoded),
        metering: super::Metering::None,
        first_deposit: first_deposit.map(|tx| Bytes::from_static(tx.as_bytes())),
    }
}

/// OP Mainnet's, as op-node serves it: superchain-registry, `superchain/configs/mainnet/op.toml`.
pub fn op_mainnet_json() -> Value {
    json!({
        "genesis": {
            "l1": {
                "hash": "0x438335a20d98863a4c0c97999eb2481921ccd28553eac6f913af7c12aec04108",
                "number": 17_422_590
            },
            "l2": {
                "hash": "0xdbf6a80fef073de06add9b0d14026d6e5a86c85f6d102c36d3d8e9cf89c2afd3",
                "number": 105_235_063
            },
            "l2_time": 1_686_068_903,
            "system_config": {
                "batcherAddr": "0x6887246668a3b87f54deb3b94ba47a6f63f32985",
                "overhead": "0x00000000000000000000000000000000000000000000000000000000000000bc",
                "scalar": "0x00000000000000000000000000000000000000000000000000000000000a6fe0",
                "gasLimit": 30_000_000,
                "eip1559Params": "0x0000000000000000",
                "operatorFeeParams": "0x0000000000000000000000000000000000000000000000000000000000000000"
            }
        },
        "block_time": 2,
        "max_sequencer_drift": 600,
        "seq_window_size": 3600,
        "channel_timeout": 300,
        "l1_chain_id": 1,
        "l2_chain_id": 10,
        "regolith_time": 0,
        "canyon_time": 1_704_992_401,
        "delta_time": 1_708_560_000,
        "ecotone_time": 1_710_374_401,
        "fjord_time": 1_720_627_201,
        "granite_time": 1_726_070_401,
        "holocene_time": 1_736_445_601,
        "isthmus_time": 1_746_806_401,
        "jovian_time": 1_764_691_201,
        "batch_inbox_address": "0xff00000000000000000000000000000000000010",
        "deposit_contract_address": "0xbeb5fc579115071764c7423a4f12edde41f106ed",
        "l1_system_config_address": "0x229047fed2591dbec1ef1118d64f7af3db9eb290",
        "protocol_versions_address": "0x8062abc286f5e7d9428a0ccb9abd71e50d93b935",
        "chain_op_config": {
            "eip1559Elasticity": 6, "eip1559Denominator": 50, "eip1559DenominatorCanyon": 250
        }
    })
}
