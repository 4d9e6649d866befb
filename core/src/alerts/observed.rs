//! [`Observed`]: what an [`AlertBook`](super::AlertBook) takes in, and [`observe`], which makes it from an
//! [`Event`].
//!
//! Not every event is a reason for an alert, and no event of something valid is one.

use super::alert::{AlertKey, Subject};
use super::entry::Slot;
use super::kind::AlertKind;
use crate::events::{Event, EventMessage, InvalidPromotion, StatusChange};
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::tracker::StatusCause;
use crate::validity::StatusKind;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// Something that an alert may depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A fact holds, from now on or still.
    Begins {
        /// The incident.
        key: AlertKey,
        /// Which fact of it.
        slot: Slot,
        /// What it says.
        kind: AlertKind,
        /// The same in one sentence.
        summary: String,
    },
    /// A fact does not hold any more.
    Ends {
        /// The incident.
        key: AlertKey,
        /// Which fact of it.
        slot: Slot,
    },
    /// The block of a message is no longer on the chain. That it was promoted before is for a person to end.
    Displaced {
        /// The incident.
        key: AlertKey,
        /// Which fact of it.
        slot: Slot,
    },
    /// A block was upheld as the replacement of the invalid block of its height.
    Replaced {
        /// The chain.
        chain_id: ChainId,
        /// The height.
        number: u64,
        /// The replacement.
        by: B256,
    },
    /// All parts that are not ready now. What is not among them works.
    NotReady(Vec<NotReady>),
    /// All blocks that the ledger has as unresolved now. What is not among them is resolved.
    Unresolved(Vec<UnresolvedViolation>),
    /// An operator has ended an incident. What still holds by state begins anew.
    Acknowledged {
        /// The incident.
        key: AlertKey,
    },
    /// What is at stake in an incident was worked out.
    AtStake {
        /// The incident.
        key: AlertKey,
        /// How much, in words.
        text: String,
    },
    /// Something was done about an incident.
    Done {
        /// The incident.
        key: AlertKey,
        /// What, in words.
        text: String,
    },
}

/// A part of the program that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// Its name, as on `/readyz`.
    pub part: String,
    /// What it means that it does not work.
    pub kind: AlertKind,
    /// Its chain. `None`: it is one for all chains.
    pub chain_id: Option<ChainId>,
    /// Why.
    pub reason: String,
}

/// A block that was found invalid, and that no operator has resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedViolation {
    /// Which.
    pub block: BlockKey,
    /// Whether an attestation of it, or of a block on top of it, binds its signer.
    pub is_binding: bool,
    /// Whether an endpoint called it cross-safe.
    pub is_claimed: bool,
    /// What was found.
    pub detail: String,
}

impl UnresolvedViolation {
    /// What it says.
    pub(super) const fn kind(&self) -> AlertKind {
        match (self.is_binding, self.is_claimed) {
            (true, _) => AlertKind::AttestationViolated,
            (false, true) => AlertKind::ClaimRefuted,
            (false, false) => AlertKind::AttestationViolatedReplayable,
        }
    }
}

/// What an event says about alerts: nothing, or one or two facts.
pub fn observe(event: &Event) -> Vec<Observed> {
    match event {
        Event::Verdict { block, verdict, detail, attributable, ancestor_of, .. } => {
            verdict_on(*block, verdict, detail, *attributable, *ancestor_of)
        }
        Event::VerdictTakenBack { block, verdict, .. } => withdrawn(*block, verdict),
        Event::ClaimRefuted { block, claimant, detail, .. } => {
            let summary =
                format!("{claimant} called block {block} cross-safe, and the block is invalid: {detail}");
            let slot = Slot::Claim(claimant.clone());
            vec![begins(AlertKey::invalid_block(*block), slot, AlertKind::ClaimRefuted, summary)]
        }
        Event::Retraction { chain_id, from, to, reason } => {
            let is_disproven = *reason == "disproven";
            let kind =
                if is_disproven { AlertKind::ResolvedBlockInvalid } else { AlertKind::VouchedHeadMovedBack };
            let (from, to) = (from.number, to.number);
            let summary = format!(
                "the vouched head of chain {chain_id} moved back from block {from} to block {to}: {reason}"
            );
            vec![alone(kind, *chain_id, Subject::Chain, summary)]
        }
        Event::MessageInvalid(change) => vec![invalid(change)],
        Event::Flip(change) => flipped(change),
        Event::MessageInvalidSafe(promotion) => vec![promoted(promotion, "cross-safe")],
        Event::MessageInvalidFinal(promotion) => vec![promoted(promotion, "final")],
        Event::Ended { message, state, .. } => ended(message, state),
        Event::Undeclared(_)
        | Event::Undecodable { .. }
        | Event::Suspect(_)
        | Event::ClaimantsDiffer { .. }
        | Event::SuperRootsDiffer { .. }
        | Event::AccessChecksDiffer { .. } => by_itself(event).into_iter().collect(),
    }
}

fn begins(key: AlertKey, slot: Slot, kind: AlertKind, summary: String) -> Observed {
    Observed::Begins { key, slot, kind, summary }
}

/// A fact that is an incident of its own.
fn alone(kind: AlertKind, chain_id: ChainId, subject: Subject, summary: String) -> Observed {
    begins(AlertKey::of(kind, Some(chain_id), subject), Slot::Only, kind, summary)
}

fn verdict_on(
    block: BlockKey,
    verdict: &str,
    detail: &str,
    attributable: Option<bool>,
    ancestor_of: Option<B256>,
) -> Vec<Observed> {
    let BlockKey { chain_id, number, hash } = block;
    let kind = match (attributable, ancestor_of) {
        (Some(true), _) | (_, Some(_)) => AlertKind::AttestationViolated,
        (Some(false), None) => AlertKind::AttestationViolatedReplayable,
        (None, None) => AlertKind::InvalidBlockDerived,
    };
    match verdict {
        "violated" | "discarded" => {
            let summary = format!("block {number} of chain {chain_id} is {verdict}: it {detail}");
            vec![begins(AlertKey::invalid_block(block), Slot::Verdict, kind, summary)]
        }
        "upheld-replacement" => vec![Observed::Replaced { chain_id, number, by: hash }],
        _ => Vec::new(),
    }
}

fn withdrawn(block: BlockKey, verdict: &str) -> Vec<Observed> {
    let BlockKey { chain_id, number, .. } = block;
    let summary = format!("the verdict {verdict} on block {number} of chain {chain_id} is withdrawn");
    vec![
        Observed::Ends { key: AlertKey::invalid_block(block), slot: Slot::Verdict },
        alone(AlertKind::VerdictWithdrawn, chain_id, Subject::block(block), summary),
    ]
}

/// How far the block of an invalid message is. A level above local-safe is known only from a node that
/// verifies messages.
const fn kind_at(level: SafetyLevel) -> AlertKind {
    match level {
        SafetyLevel::Unsafe | SafetyLevel::CrossUnsafe => AlertKind::InvalidMessageUnsafe,
        SafetyLevel::LocalSafe => AlertKind::InvalidMessageSafe,
        SafetyLevel::Safe | SafetyLevel::Finalized => AlertKind::InvalidMessagePromoted,
    }
}

fn invalid(change: &StatusChange) -> Observed {
    let StatusChange { message, detail, .. } = change;
    let BlockKey { chain_id, number, .. } = message.executing.key;
    let level = message.level;
    let detail = detail.as_deref().unwrap_or("its rule is not known");
    let summary = format!("{level} block {number} of chain {chain_id} executes an invalid message: {detail}");
    let slot = Slot::Message(message.log_index);
    begins(AlertKey::invalid_block(message.executing.key), slot, kind_at(level), summary)
}

fn promoted(promotion: &InvalidPromotion, level: &str) -> Observed {
    let InvalidPromotion { message, detail, .. } = promotion;
    let BlockKey { chain_id, number, .. } = message.executing.key;
    let detail = detail.as_deref().unwrap_or("an earlier event names the rule");
    let summary = format!(
        "consensus failure: {level} block {number} of chain {chain_id} executes an invalid message: {detail}"
    );
    let key = AlertKey::invalid_block(message.executing.key);
    begins(key, Slot::Message(message.log_index), AlertKind::InvalidMessagePromoted, summary)
}

/// A message changed its validity. All changes with one cause are one alert: a reorg may flip many.
fn flipped(change: &StatusChange) -> Vec<Observed> {
    let StatusChange { message, to, cause, .. } = change;
    let executing = message.executing.key;
    let cited = match cause.0 {
        StatusCause::RemoteReorg { chain_id, number, old, .. } => BlockKey { chain_id, number, hash: old },
        StatusCause::RemoteReplacement { old, .. } => old,
        StatusCause::CitedBlock { block } => block,
        StatusCause::Checked | StatusCause::SameTimestamp { .. } => executing,
    };
    let (chain_id, name) = (executing.chain_id, cause.0.name());
    let summary = format!(
        "a message on chain {chain_id} changed its validity because of chain {}: {name}",
        cited.chain_id
    );
    let flip = alone(AlertKind::MessageFlipped, cited.chain_id, Subject::block(cited), summary);
    let (key, slot) = (AlertKey::invalid_block(executing), Slot::Message(message.log_index));
    match to {
        StatusKind::Invalid => vec![invalid(change), flip],
        StatusKind::Valid => vec![Observed::Ends { key, slot }, flip],
        StatusKind::Unknown => Vec::new(),
    }
}

/// A message is no longer tracked. Only a replacement or a reorg ends an incident: what is final and invalid,
/// or was not settled, remains for a person.
fn ended(message: &EventMessage, state: &str) -> Vec<Observed> {
    let (key, slot) = (AlertKey::invalid_block(message.executing.key), Slot::Message(message.log_index));
    match state {
        "resolved" | "orphaned" => vec![Observed::Displaced { key, slot }],
        _ => Vec::new(),
    }
}

/// What is reported by itself, for as long as an event of its kind counts. `None`: nothing.
fn by_itself(event: &Event) -> Option<Observed> {
    let block = event.block();
    let BlockKey { chain_id, number, hash } = block;
    let place = |log_index| Subject::Message { number, hash, log_index };
    let (kind, subject, what) = match event {
        Event::Undeclared(message) => {
            let what = format!("block {number} executes a message that its transaction did not declare");
            (AlertKind::UndeclaredAccess, place(message.log_index), what)
        }
        Event::Undecodable { detail, .. } => {
            let what = format!("the inbox emitted a log in block {number} that cannot be decoded: {detail}");
            (AlertKind::UndecodableInboxLog, Subject::Chain, what)
        }
        Event::Suspect(suspect) => {
            let what =
                format!("a transaction in gossiped block {number} declares a message: {}", suspect.detail);
            (AlertKind::SuspectDeclared, Subject::block(block), what)
        }
        Event::ClaimantsDiffer { answers: [first, second], .. } => {
            let names = pair(&first.claimant, &second.claimant);
            let what = format!("{names} call different blocks of height {number} cross-safe");
            (AlertKind::ClaimantsDiffer, Subject::Endpoints(names), what)
        }
        Event::SuperRootsDiffer { timestamp, answers: [first, second], .. } => {
            let names = pair(&first.by, &second.by);
            let what = format!("{names} have different super roots for timestamp {timestamp}");
            (AlertKind::SuperRootDiffers, Subject::Endpoints(names), what)
        }
        Event::AccessChecksDiffer { answers: [first, second], .. } => {
            let names = pair(&first.by, &second.by);
            let what = format!("{names} answer differently to a message of block {number}");
            (AlertKind::AccessCheckDiffers, Subject::Endpoints(names), what)
        }
        _ => return None,
    };
    Some(alone(kind, chain_id, subject, format!("chain {chain_id}: {what}")))
}

/// Two names in one order, whichever answered first.
fn pair(first: &str, second: &str) -> String {
    let (first, second) = if first <= second { (first, second) } else { (second, first) };
    format!("{first} and {second}")
}
