//! [`Event`]: the event of a verdict, a vouched head, a message or a suspect, in the form that readers get.
//!
//! The ledger stores it with the fact that it reports, in one transaction, and it is sent from there. This
//! module sends nothing.

use crate::events::SuspectRecord;
use crate::heads::SafetyLevel;
use crate::message::BlockKey;
use crate::tracker::StatusCause;
use crate::validity::StatusKind;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::Serialize;
use serde::ser::Serializer;
use std::borrow::Cow;

/// Something that subscribers get. `kind` in its JSON says which.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// An attested block has its verdict. Reported again when the attestation of an invalid block, or of a
    /// block on top of it, becomes attributable.
    Verdict {
        /// The block.
        block: BlockKey,
        /// The verdict's name.
        verdict: Cow<'static, str>,
        /// The reason of a violation.
        reason: Option<Cow<'static, str>>,
        /// What was found, for people.
        detail: String,
        /// Whether the attestation is evidence against its signer. `None`: the block itself was not attested.
        attributable: Option<bool>,
        /// The nearest block on top of it whose attestation binds its signer, if its own does not.
        ancestor_of: Option<B256>,
    },
    /// The verdict against a block is withdrawn: L1 has reorged out what it rests on, and the block gets
    /// another verdict, which follows.
    VerdictTakenBack {
        /// The block.
        block: BlockKey,
        /// The name of the verdict that it had.
        verdict: Cow<'static, str>,
        /// The reason that it had.
        reason: Option<Cow<'static, str>>,
    },
    /// An endpoint called a block cross-safe, and that block or one below it was found invalid.
    ClaimRefuted {
        /// The block that was found invalid.
        block: BlockKey,
        /// The endpoint's name, as in answers to callers.
        claimant: String,
        /// The lowest block that it called cross-safe: the invalid one, or one on top of it.
        claimed: BlockNumHash,
        /// The name of the verdict.
        verdict: Cow<'static, str>,
        /// The reason of a violation.
        reason: Option<Cow<'static, str>>,
        /// What was found, for people.
        detail: String,
    },
    /// Two endpoints called different blocks of one height cross-safe. It says nothing about which is right.
    ClaimantsDiffer {
        /// The chain.
        chain_id: ChainId,
        /// The lowest height at which they differ.
        number: u64,
        /// What each of them called cross-safe there.
        answers: [ClaimantAnswer; 2],
    },
    /// An op-supernode has another super root for a timestamp than Crosscheck. It says nothing about which is
    /// right.
    SuperRootsDiffer {
        /// Crosscheck's block at the timestamp, of the lowest chain that differs.
        block: BlockKey,
        /// The timestamp.
        timestamp: UnixSeconds,
        /// What each of them answered.
        answers: [SuperRootAnswer; 2],
    },
    /// An interop filter accepts a message that Crosscheck calls invalid, or the other way round. It says
    /// nothing about which is right.
    AccessChecksDiffer {
        /// The message.
        #[serde(flatten)]
        message: EventMessage,
        /// What each of them answered.
        answers: [AccessCheckAnswer; 2],
    },
    /// A chain's vouched head has left a branch that is no longer on the chain, or that was found invalid.
    Retraction {
        /// The chain.
        chain_id: ChainId,
        /// Where the head was.
        from: BlockNumHash,
        /// The last ancestor of that on the chain.
        to: BlockNumHash,
        /// Why: `l1-reorg`, `replaced` or `disproven`.
        reason: &'static str,
    },
    /// A message turned out invalid when it was first checked.
    MessageInvalid(StatusChange),
    /// A message is invalid and its block is cross-safe: a consensus failure.
    MessageInvalidSafe(InvalidPromotion),
    /// A message is invalid and its block is final: a consensus failure that stays.
    MessageInvalidFinal(InvalidPromotion),
    /// A message was valid when it was decided last and is invalid now, or the other way round.
    Flip(StatusChange),
    /// A message was executed that its own transaction did not declare.
    Undeclared(EventMessage),
    /// The inbox emitted a log that looks like a message and is none.
    Undecodable {
        /// Where.
        #[serde(flatten)]
        message: EventMessage,
        /// What is wrong with the log.
        detail: String,
    },
    /// A gossiped, not yet executed transaction declares a message that breaks a rule.
    Suspect(SuspectRecord),
    /// A message is no longer tracked. Not reported for valid messages that became final.
    Ended {
        /// The message.
        #[serde(flatten)]
        message: EventMessage,
        /// What was known of it at the end.
        status: StatusKind,
        /// How it ended.
        state: &'static str,
        /// The block in the place of the executing one.
        ended_by: Option<B256>,
    },
}

/// What an endpoint called cross-safe at a height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimantAnswer {
    /// The endpoint's name.
    pub claimant: String,
    /// The block.
    pub hash: B256,
}

/// What somebody answered of the super root at a timestamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuperRootAnswer {
    /// The endpoint's name, or `crosscheck`.
    pub by: String,
    /// The super root.
    pub super_root: B256,
    /// What it is made of.
    pub outputs: Vec<ChainOutputRoot>,
}

/// One chain's part of a super root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChainOutputRoot {
    /// The chain.
    pub chain_id: ChainId,
    /// Its output root.
    pub output_root: B256,
}

/// What somebody answered of an access list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessCheckAnswer {
    /// The endpoint's name, or `crosscheck`.
    pub by: String,
    /// Whether the list was accepted.
    pub is_valid: bool,
    /// The code of the refusal.
    pub code: Option<i32>,
    /// What is wrong with it, in the words of the refusal.
    pub detail: Option<String>,
}

/// Which message is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventMessage {
    /// The executing block.
    pub executing: ExecutingBlock,
    /// The place of the inbox's log in it.
    pub log_index: u32,
    /// The transaction that executed it. `None`: it is not known, as of what an earlier run noted.
    pub transaction_hash: Option<B256>,
    /// The chain that the message cites. `None`: its log is malformed.
    pub initiating_chain: Option<ChainId>,
    /// How far the executing block was.
    pub level: SafetyLevel,
}

/// An executing block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutingBlock {
    /// Which block.
    #[serde(flatten)]
    pub key: BlockKey,
    /// Its timestamp.
    pub timestamp: UnixSeconds,
}

/// A message whose status is another now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusChange {
    /// The message.
    #[serde(flatten)]
    pub message: EventMessage,
    /// What was known before.
    pub from: StatusKind,
    /// What is known now.
    pub to: StatusKind,
    /// The rule that is broken now.
    pub reason: Option<&'static str>,
    /// What is broken now, for people.
    pub detail: Option<String>,
    /// Why the status changed.
    pub cause: EventCause,
}

/// An invalid message whose block has reached a higher level nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvalidPromotion {
    /// The message.
    #[serde(flatten)]
    pub message: EventMessage,
    /// The rule that is broken. `None`: that is reported by earlier events alone.
    pub reason: Option<&'static str>,
    /// What is broken, for people.
    pub detail: Option<String>,
}

/// Why a status changed. In JSON: its name, and the blocks that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventCause(pub StatusCause);

#[derive(Clone, Copy, Serialize)]
struct CauseFields {
    name: &'static str,
    chain_id: Option<ChainId>,
    number: Option<u64>,
    old: Option<B256>,
    new: Option<B256>,
}

impl Serialize for EventCause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.0.name();
        let none = CauseFields { name, chain_id: None, number: None, old: None, new: None };
        let fields = match self.0 {
            StatusCause::Checked | StatusCause::SameTimestamp { .. } => none,
            StatusCause::RemoteReorg { chain_id, number, old, new } => {
                CauseFields { chain_id: Some(chain_id), number: Some(number), old: Some(old), new, ..none }
            }
            StatusCause::RemoteReplacement { old, new } => CauseFields { new: Some(new), ..cited(none, old) },
            StatusCause::CitedBlock { block } => cited(none, block),
        };
        fields.serialize(serializer)
    }
}

fn cited(fields: CauseFields, block: BlockKey) -> CauseFields {
    let BlockKey { chain_id, number, hash } = block;
    CauseFields { chain_id: Some(chain_id), number: Some(number), old: Some(hash), ..fields }
}

impl Event {
    /// Every kind, as in the JSON.
    pub const KINDS: [&str; 15] = [
        "verdict",
        "verdict-taken-back",
        "claim-refuted",
        "claimants-differ",
        "super-roots-differ",
        "access-checks-differ",
        "retraction",
        "message-invalid",
        "message-invalid-safe",
        "message-invalid-final",
        "flip",
        "undeclared",
        "undecodable",
        "suspect",
        "ended",
    ];

    /// The block that it is about: of a vouched head, where it is now.
    pub const fn block(&self) -> BlockKey {
        match self {
            Self::Verdict { block, .. }
            | Self::VerdictTakenBack { block, .. }
            | Self::ClaimRefuted { block, .. }
            | Self::SuperRootsDiffer { block, .. } => *block,
            Self::ClaimantsDiffer { chain_id, number, answers: [first, _] } => {
                BlockKey { chain_id: *chain_id, number: *number, hash: first.hash }
            }
            Self::Retraction { chain_id, to, .. } => {
                BlockKey { chain_id: *chain_id, number: to.number, hash: to.hash }
            }
            Self::MessageInvalid(status) | Self::Flip(status) => status.message.executing.key,
            Self::MessageInvalidSafe(promotion) | Self::MessageInvalidFinal(promotion) => {
                promotion.message.executing.key
            }
            Self::Undeclared(message)
            | Self::Undecodable { message, .. }
            | Self::AccessChecksDiffer { message, .. }
            | Self::Ended { message, .. } => message.executing.key,
            Self::Suspect(suspect) => suspect.block,
        }
    }

    /// Its kind, as in its JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Verdict { .. } => "verdict",
            Self::VerdictTakenBack { .. } => "verdict-taken-back",
            Self::ClaimRefuted { .. } => "claim-refuted",
            Self::ClaimantsDiffer { .. } => "claimants-differ",
            Self::SuperRootsDiffer { .. } => "super-roots-differ",
            Self::AccessChecksDiffer { .. } => "access-checks-differ",
            Self::Retraction { .. } => "retraction",
            Self::MessageInvalid(_) => "message-invalid",
            Self::MessageInvalidSafe(_) => "message-invalid-safe",
            Self::MessageInvalidFinal(_) => "message-invalid-final",
            Self::Flip(_) => "flip",
            Self::Undeclared(_) => "undeclared",
            Self::Undecodable { .. } => "undecodable",
            Self::Suspect(_) => "suspect",
            Self::Ended { .. } => "ended",
        }
    }
}
