//! [`AccessCheck`]: whether every message that an access list declares is there, and safe enough.
//!
//! What the monitor has seen is answered from memory: the tracker's lock is held for the lookups alone, the
//! hashing comes after it. Other blocks are fetched and proven, those of a list at once ([`ColdBlocks`]).
//!
//! The checks, in their order: the failsafe, the entries' form, then of each entry its chains and times
//! ([`check_access`]), its block, the block's safety, its log. Crosscheck answers `invalid` (an error of code
//! -320600) only with proof; what it cannot prove is refused with another code. A proof of the contrary
//! counts although something else is not known.

use super::RpcMetrics;
use super::cold_blocks::{ColdBlocks, WantedBlock};
use super::level_heads::LevelHeads;
use super::params::{ExecutingDescriptor, min_safety};
use super::superchain_reader::SuperchainReader;
use super::{Failsafe, SupervisorError};
use crate::web::Overload;
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::message::{InboxAccess, parse_access_list};
use crosscheck_core::tracker::ChainView;
use crosscheck_core::validity::{AccessContext, Validity, check_access, check_access_log, check_access_tip};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::core::RpcResult;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::Instant;

/// How long a check may take. op-reth waits for two seconds.
const DEADLINE: Duration = Duration::from_millis(1500);

/// A parameter as it was sent. `None`: it was left out, or is `null`.
pub(super) type Sent = Option<Box<RawValue>>;

/// A method that checks access lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckMethod {
    /// Its name.
    pub name: &'static str,
    /// The levels that it knows.
    pub levels: &'static [SafetyLevel],
    /// Whether the descriptor must name the executing chain.
    pub names_chain: bool,
}

/// Checks access lists. Clones share its memory.
#[derive(Clone, Debug)]
pub struct AccessCheck {
    superchain: SuperchainReader,
    failsafe: Failsafe,
    blocks: ColdBlocks,
    metrics: RpcMetrics,
}

impl AccessCheck {
    /// Checks against this superchain, unless the failsafe is on.
    pub fn new(superchain: SuperchainReader, failsafe: Failsafe, metrics: RpcMetrics) -> Self {
        let blocks = ColdBlocks::new(superchain.clone(), Overload::new(metrics.shared().clone()));
        Self { superchain, failsafe, blocks, metrics }
    }

    /// Answers a call, and counts what was answered.
    pub(super) async fn answer(
        &self,
        method: CheckMethod,
        entries: Sent,
        level: Sent,
        descriptor: Sent,
    ) -> RpcResult<()> {
        let began = Instant::now();
        let outcome = self.read_and_check(method, entries, level, descriptor).await;
        self.metrics.access_checked(method.name, outcome.as_ref().err(), began.elapsed());
        Ok(outcome?)
    }

    async fn read_and_check(
        &self,
        method: CheckMethod,
        entries: Sent,
        level: Sent,
        descriptor: Sent,
    ) -> Result<(), SupervisorError> {
        // Go writes an empty list as null.
        let entries: Vec<B256> =
            entries.map(|sent| read("entries", Some(sent))).transpose()?.unwrap_or_default();
        let level: String = read("least safety", level)?;
        let descriptor: ExecutingDescriptor = read("descriptor", descriptor)?;
        if self.failsafe.is_enabled() {
            return Err(SupervisorError::Failsafe);
        }
        let level = min_safety(&level, method.levels)?;
        if method.names_chain && descriptor.chain_id.is_none() {
            return Err(SupervisorError::NoChain);
        }
        self.check(&entries, level, &descriptor).await
    }

    /// Checks a list as of a transaction on this chain, in a block of this timestamp. It counts nothing, and
    /// the failsafe does not matter: this is for comparisons with other endpoints.
    pub(super) async fn own_answer(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SupervisorError> {
        self.check(entries, SafetyLevel::Unsafe, &ExecutingDescriptor::new(chain_id, timestamp)).await
    }

    /// Checks that every message declared is there, at least as safe as `min_safety`, and may be executed as
    /// described.
    async fn check(
        &self,
        entries: &[B256],
        min_safety: SafetyLevel,
        descriptor: &ExecutingDescriptor,
    ) -> Result<(), SupervisorError> {
        let deadline = Instant::now().checked_add(DEADLINE).unwrap_or_else(Instant::now);
        let set = &self.superchain.set;
        if let Some(chain_id) = descriptor.chain_id.filter(|chain_id| !set.contains(*chain_id)) {
            return Err(SupervisorError::NotWatched { chain_id });
        }
        let context = AccessContext {
            executing: descriptor.chain_id,
            timestamp: descriptor.timestamp(),
            timeout: descriptor.timeout(),
        };
        let accesses = parse_access_list(entries)?;
        for access in &accesses {
            check_access(set, context, access)?;
        }
        let places = self.places(&accesses, min_safety)?;
        let logs = self.blocks.logs(places.iter().copied().collect(), deadline).await;
        let mut unproven = None;
        for (access, place) in accesses.iter().zip(&places) {
            match logs.get(place) {
                Some(Ok(logs)) => check_access_log(access, logs)?,
                Some(Err(error)) => drop(unproven.get_or_insert(error)),
                None => return Err(SupervisorError::Late { what: place.to_string() }),
            }
        }
        unproven.map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Looks every block up, under one lock.
    fn places(
        &self,
        accesses: &[InboxAccess],
        min_safety: SafetyLevel,
    ) -> Result<Vec<WantedBlock>, SupervisorError> {
        let tracker = self.superchain.tracker.read();
        let place = |access: &InboxAccess| {
            let chain_id = access.chain_id;
            let view = tracker.chain(chain_id).ok_or(SupervisorError::NotWatched { chain_id })?;
            place(view, access, min_safety)
        };
        accesses.iter().map(place).collect()
    }
}

/// Reads a parameter.
fn read<T: DeserializeOwned>(name: &str, sent: Sent) -> Result<T, SupervisorError> {
    let sent = sent.ok_or_else(|| SupervisorError::Params { problem: format!("{name} is missing") })?;
    serde_json::from_str(sent.get())
        .map_err(|error| SupervisorError::Params { problem: format!("{name} cannot be read: {error}") })
}

/// Where the block of an entry is, if it is there and safe enough.
fn place(
    view: &ChainView,
    access: &InboxAccess,
    wanted: SafetyLevel,
) -> Result<WantedBlock, SupervisorError> {
    let (chain_id, number) = (access.chain_id, access.block_number);
    let heads = LevelHeads::of(view)
        .ok_or_else(|| SupervisorError::Uninitialized { what: format!("the view of chain {chain_id}") })?;
    if number > heads.tip.0 {
        return Err(match check_access_tip(access, heads.tip) {
            Some(reason) => reason.into(),
            None => SupervisorError::Future { what: format!("block {number} of chain {chain_id}") },
        });
    }
    if view.validity_of(number) == Some(Validity::Invalid) {
        return Err(SupervisorError::AwaitingReplacement { chain_id, number });
    }
    if !heads.reaches(number, wanted) {
        return Err(SupervisorError::NotAsSafe { chain_id, number, wanted });
    }
    Ok(WantedBlock { chain_id, number, in_view: view.block(number).map(|block| block.key.hash) })
}
