//! [`derive_from_l1`]: what L1 alone says of a block, given its parent and its L1 origin.
//!
//! Spec: protocol/derivation.md, "Deriving Payload Attributes"; order and errors as in op-node's
//! `op-node/rollup/derive/attributes.go` (`PreparePayloadAttributes`) and `l1_block_info.go`. What the
//! batches say (the users' transactions, and that this origin was chosen) is not part of it.

use super::blob_schedule::cancun_blob_base_fee;
use super::config_update::CONFIG_UPDATE;
use super::l1_info::{DEPOSITOR, L1_BLOCK};
use super::parent::encoding;
use super::upgrade::upgrades;
use super::user_deposit::TRANSACTION_DEPOSITED;
use super::{
    ConfigUpdate, DepositRules, DepositsError, EcotoneFees, L1Fees, L1Info, ParentFacts, SystemConfig,
    decode_user_deposit,
};
use crate::consolidation::{
    AttributeFees, BlockAttributes, Fork, PayloadAttributes, RollupConfig, TransactionDigest,
};
use crate::proof::{ProvenL1Logs, VerifiedL1Header};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, TxKind, U256, address};
use core::fmt;
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{L1InfoDepositSource, TxDeposit};

/// The predeploy that receives the fees of every OP Stack block.
const SEQUENCER_FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");

/// The DA footprint gas scalar where the system config has none.
const DEFAULT_DA_FOOTPRINT_GAS_SCALAR: u16 = 400;

/// The gas limit of the L1-attributes transaction since Regolith, and before.
const L1_ATTRIBUTES_GAS: u64 = 1_000_000;
const L1_ATTRIBUTES_GAS_BEDROCK: u64 = 150_000_000;

/// A block's L1 origin.
#[derive(Clone, Copy, Debug)]
pub struct L1Epoch<'a> {
    /// Its header.
    pub header: &'a VerifiedL1Header,
    /// The logs there of the deposit contract and the SystemConfig: wanted if the block is the first of its
    /// epoch.
    pub logs: Option<&'a ProvenL1Logs>,
}

/// What L1 says of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedFromL1 {
    /// What its first deposit says.
    pub info: L1Info,
    /// The system config in force at it. Its gas limit has nothing of what an upgrade adds to this one block.
    pub system_config: SystemConfig,
    /// Its attributes, with the deposits that it holds before all other transactions as their only
    /// transactions: L1 attributes, users', upgrade.
    pub attributes: PayloadAttributes,
    /// What comes from the rollup node and not from L1, if anything.
    pub taken: Option<TakenFromNode>,
}

/// Upgrade transactions that are not known here, and were taken from the block of the chain's rollup node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenFromNode {
    /// The fork that they are of.
    pub fork: String,
    /// How many.
    pub transactions: usize,
    /// What they add to the block's gas limit.
    pub gas: u64,
}

impl fmt::Display for TakenFromNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fork, transactions, gas } = self;
        write!(
            f,
            "the {transactions} upgrade transactions of the fork {fork}, and {gas} gas for them, are taken from the rollup node"
        )
    }
}

/// The deposits behind those of L1, and their gas.
struct Upgrade {
    transactions: Vec<TransactionDigest>,
    gas: u64,
    taken: Option<TakenFromNode>,
}

/// All that L1 says of the block that follows `parent` with this L1 origin.
///
/// `node` is the block that the chain's rollup node derived at this height. It counts in the first block of a
/// fork whose upgrade transactions are not known here, for these alone.
///
/// # Errors
/// If such a block cannot exist, or this build does not know what it must contain.
pub fn derive_from_l1(
    rules: &DepositRules,
    parent: &ParentFacts,
    epoch: L1Epoch<'_>,
    node: Option<&BlockAttributes>,
) -> Result<DerivedFromL1, DepositsError> {
    let config = &rules.config;
    let overflow = DepositsError::Overflow { number: parent.number() };
    let time =
        parent.timestamp().0.checked_add(config.block_time).map(UnixSeconds).ok_or(overflow.clone())?;
    let (sequence_number, users, system) = enter_epoch(config, parent, epoch)?;
    let origin = epoch.header;
    if origin.timestamp() > time {
        return Err(DepositsError::Young { origin: origin.timestamp(), block: time });
    }
    let info = l1_info(rules, &system, origin, sequence_number, time)?;
    let first = l1_attributes(&info, config.forks.is_active(Fork::Regolith, time)).encoded_2718().into();
    let mut transactions: Vec<_> =
        core::iter::once(&first).chain(&users).map(TransactionDigest::of).collect();
    let upgrade = upgrade(rules, &system, &transactions, time, node)?;
    transactions.extend(upgrade.transactions);
    let attributes = PayloadAttributes {
        parent_hash: parent.hash(),
        timestamp: time,
        prev_randao: origin.header().mix_hash,
        fee_recipient: SEQUENCER_FEE_VAULT,
        gas_limit: system.gas_limit.checked_add(upgrade.gas).ok_or(overflow)?,
        parent_beacon_block_root: config
            .forks
            .is_active(Fork::Ecotone, time)
            .then(|| origin.header().parent_beacon_block_root.unwrap_or_default()),
        withdrawals: config.forks.is_active(Fork::Canyon, time).then_some(0),
        fees: attribute_fees(config, &system, time)?,
        transactions,
    };
    Ok(DerivedFromL1 { info, system_config: system, attributes, taken: upgrade.taken })
}

/// The upgrade deposits of the block whose other deposits are `before`.
fn upgrade(
    rules: &DepositRules,
    system: &SystemConfig,
    before: &[TransactionDigest],
    time: UnixSeconds,
    node: Option<&BlockAttributes>,
) -> Result<Upgrade, DepositsError> {
    let known = upgrades(rules, time);
    let Some(fork) = known.unknown else {
        return Ok(Upgrade { transactions: known.transactions, gas: known.gas, taken: None });
    };
    let node = node.ok_or_else(|| DepositsError::UnknownBundle { fork: fork.clone() })?;
    let before: Vec<_> = before.iter().chain(&known.transactions).copied().collect();
    let steady = system.gas_limit.checked_add(known.gas);
    let deposits = node.transactions.iter().take_while(|transaction| transaction.is_deposit);
    let deposits: Vec<_> = deposits.copied().collect();
    let rest = deposits.strip_prefix(before.as_slice());
    let gas = steady.and_then(|steady| node.gas_limit.checked_sub(steady));
    let (Some(rest), Some(gas)) = (rest, gas) else {
        return Err(DepositsError::NodeBlock { fork });
    };
    let taken = TakenFromNode { fork, transactions: rest.len(), gas };
    let gas = known.gas.saturating_add(gas);
    Ok(Upgrade { transactions: [&known.transactions, rest].concat(), gas, taken: Some(taken) })
}

/// The block's place in its epoch, the users' deposits, and the system config in force.
fn enter_epoch(
    config: &RollupConfig,
    parent: &ParentFacts,
    epoch: L1Epoch<'_>,
) -> Result<(u64, Vec<Bytes>, SystemConfig), DepositsError> {
    let (origin, before) = (epoch.header.id(), parent.l1_origin());
    let system = *parent.system_config();
    if origin == before {
        let overflow = DepositsError::Overflow { number: parent.number() };
        let sequence_number = parent.sequence_number().checked_add(1).ok_or(overflow)?;
        return Ok((sequence_number, Vec::new(), system));
    }
    let is_next = before.number.checked_add(1) == Some(origin.number);
    if !is_next || epoch.header.header().parent_hash != before.hash {
        return Err(DepositsError::Origin { number: origin.number, hash: origin.hash, parent: before });
    }
    let logs = epoch.logs.ok_or(DepositsError::LogsMissing { number: origin.number })?;
    if logs.block() != origin.hash {
        return Err(DepositsError::OtherLogs { expected: origin.hash, found: logs.block() });
    }
    let users = user_deposits(config, epoch.header, logs)?;
    Ok((0, users, updated(config, system, epoch.header, logs)))
}

fn user_deposits(
    config: &RollupConfig,
    origin: &VerifiedL1Header,
    logs: &ProvenL1Logs,
) -> Result<Vec<Bytes>, DepositsError> {
    let deposits = logs.of(config.deposit_contract);
    let events = deposits.filter(|log| log.log.topics().first() == Some(&TRANSACTION_DEPOSITED));
    let decode = |log: &crate::proof::L1Log| {
        let decoded = decode_user_deposit(&log.log.data, origin.hash(), log.index);
        let (number, log_index) = (origin.number(), log.index);
        let error = |reason| DepositsError::UserDeposit { number, log_index, reason };
        decoded.map(|deposit| deposit.encoded_2718().into()).map_err(error)
    };
    events.map(decode).collect()
}

/// The system config after the origin's updates. An invalid update has no effect.
fn updated(
    config: &RollupConfig,
    mut system: SystemConfig,
    origin: &VerifiedL1Header,
    logs: &ProvenL1Logs,
) -> SystemConfig {
    for log in logs.of(config.system_config) {
        if log.log.topics().first() == Some(&CONFIG_UPDATE)
            && let Ok(update) = ConfigUpdate::decode(&log.log.data)
        {
            update.apply(&mut system, &config.forks, origin.timestamp());
        }
    }
    system
}

fn l1_info(
    rules: &DepositRules,
    system: &SystemConfig,
    origin: &VerifiedL1Header,
    sequence_number: u64,
    time: UnixSeconds,
) -> Result<L1Info, DepositsError> {
    let encoding = encoding(&rules.config, time);
    Ok(L1Info {
        number: origin.number(),
        timestamp: origin.timestamp().0,
        base_fee: U256::from(origin.header().base_fee_per_gas.unwrap_or_default()),
        hash: origin.hash(),
        sequence_number,
        batcher: system.batcher,
        fees: match encoding {
            Fork::Ecotone => L1Fees::Ecotone(ecotone_fees(rules, system, origin)?),
            Fork::Isthmus => L1Fees::Isthmus(ecotone_fees(rules, system, origin)?, system.operator_fee),
            Fork::Jovian => L1Fees::Jovian {
                ecotone: ecotone_fees(rules, system, origin)?,
                operator: system.operator_fee,
                da_footprint_gas_scalar: match system.da_footprint_gas_scalar {
                    0 => DEFAULT_DA_FOOTPRINT_GAS_SCALAR,
                    scalar => scalar,
                },
            },
            _ => L1Fees::Bedrock { overhead: system.overhead, scalar: system.scalar },
        },
    })
}

fn ecotone_fees(
    rules: &DepositRules,
    system: &SystemConfig,
    origin: &VerifiedL1Header,
) -> Result<EcotoneFees, DepositsError> {
    let scalars = system.scalars().ok_or(DepositsError::Scalar { scalar: system.scalar })?;
    Ok(EcotoneFees {
        base_fee_scalar: scalars.base_fee,
        blob_base_fee_scalar: scalars.blob_base_fee,
        blob_base_fee: U256::from(blob_base_fee(rules, origin)?),
    })
}

fn blob_base_fee(rules: &DepositRules, origin: &VerifiedL1Header) -> Result<u128, DepositsError> {
    // Before Cancun L1 has no blob gas, and L2 takes the smallest fee.
    let excess = origin.header().excess_blob_gas.unwrap_or_default();
    if let Some(fee) = rules.blobs.assumed() {
        return Ok(fee);
    }
    let is_cancun = rules.config.pectra_blob_schedule.is_some_and(|until| origin.timestamp() < until);
    let fee = if is_cancun {
        cancun_blob_base_fee(excess)
    } else {
        rules.blobs.blob_base_fee(origin.timestamp(), excess)
    };
    let (l1_chain_id, number) = (rules.config.l1_chain_id, origin.number());
    fee.ok_or(DepositsError::BlobSchedule { l1_chain_id, number })
}

fn l1_attributes(info: &L1Info, is_regolith: bool) -> TxDeposit {
    TxDeposit {
        source_hash: L1InfoDepositSource::new(info.hash, info.sequence_number).source_hash(),
        from: DEPOSITOR,
        to: TxKind::Call(L1_BLOCK),
        mint: 0,
        value: U256::ZERO,
        gas_limit: if is_regolith { L1_ATTRIBUTES_GAS } else { L1_ATTRIBUTES_GAS_BEDROCK },
        is_system_transaction: !is_regolith,
        input: info.encode(),
    }
}

fn attribute_fees(
    config: &RollupConfig,
    system: &SystemConfig,
    time: UnixSeconds,
) -> Result<Option<AttributeFees>, DepositsError> {
    if !config.forks.is_active(Fork::Holocene, time) {
        return Ok(None);
    }
    if system.eip1559.is_unset() && config.canyon_fees.is_none() {
        return Err(DepositsError::FeeDefaults);
    }
    let is_jovian = config.forks.is_active(Fork::Jovian, time);
    Ok(Some(AttributeFees {
        eip1559: system.eip1559,
        min_base_fee: is_jovian.then_some(system.min_base_fee),
    }))
}

#[cfg(test)]
pub(super) mod tests;
