//! [`Case`]: one block under audit, from what is claimed to a verdict. Pure: facts come in, needs go out.
//!
//! ```text
//! Derivation --as derived--------------------> Messages(own) ------all valid--> upheld
//!     |  \---as derived, replaces a known---.       \-------------one invalid-> violated: invalid-message
//!     |       block (certain = false)        \
//!     |---deposits only (certain = true)-----> Messages(original) --one invalid-> upheld-replacement
//!     |                                                 \--all valid, certain---> violated: unjustified
//!     |                                                 \--all valid, uncertain-> upheld
//!     |---as derived, another hash---------------------------------------------> discarded: execution-divergence
//!     '---neither--------------------------------------------------------------> discarded: not-derived
//! ```
//!
//! A fact that cannot be had leaves the case open. Nothing but a proven contradiction is invalid.

use super::checked_message::{CheckedMessage, MessageStatus};
use super::{Discard, InvalidMessage, Verdict, Violation};
use crate::consolidation::{BlockAttributes, Consolidation, consolidate};
use crate::interop::{DependencySet, Execution, check_claim, check_log, check_tip};
use crate::sources::ProvenLogs;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;

/// Which block a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}

/// Something that a case must know to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The block that L1 says stands at the case's height.
    Derived,
    /// The proven logs of this block of the case's chain.
    Logs {
        /// The block.
        hash: B256,
        /// Its height.
        number: u64,
    },
    /// The proven logs of the local-safe block at this height of an initiating chain, or that the chain is
    /// past this timestamp without having that height.
    Initiating {
        /// The initiating chain.
        chain_id: ChainId,
        /// The claimed height.
        number: u64,
        /// The claimed timestamp.
        timestamp: UnixSeconds,
    },
}

/// Another block seen at a case's height: one that it may replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its hash.
    pub hash: B256,
    /// Its attributes, reduced to deposits.
    pub deposits_only: BlockAttributes,
}

/// An answer to a need.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// The derived block, and the other blocks with user transactions seen at its height.
    Derived {
        /// Its hash.
        hash: B256,
        /// Its attributes.
        attributes: &'a BlockAttributes,
        /// Blocks that the case's block may replace.
        candidates: &'a [Candidate],
    },
    /// The proven logs of the block asked for.
    Logs(&'a ProvenLogs),
    /// The chain's own client no longer has the block asked for.
    LogsGone,
    /// The initiating block's proven logs.
    Initiating(&'a ProvenLogs),
    /// The initiating chain is past the claimed timestamp: one of its local-safe blocks.
    InitiatingTip {
        /// The initiating chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// The block's timestamp.
        timestamp: UnixSeconds,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Derivation,
    /// The logs of the block under examination are wanted, then its messages are checked.
    Messages {
        examined: B256,
        /// `Some`: the block examined is one that the case's block replaces.
        replaces: Option<Replaces>,
        known: bool,
    },
    Decided(Verdict),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Replaces {
    /// Whether L1 says that the examined block stands at this height.
    certain: bool,
}

/// One block under audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    key: BlockKey,
    attributes: BlockAttributes,
    stage: Stage,
    messages: Vec<CheckedMessage>,
}

impl Case {
    /// A case about a block with these attributes.
    pub const fn new(key: BlockKey, attributes: BlockAttributes) -> Self {
        Self { key, attributes, stage: Stage::Derivation, messages: Vec::new() }
    }

    /// Which block it is about.
    pub const fn key(&self) -> &BlockKey {
        &self.key
    }

    /// The block's attributes.
    pub const fn attributes(&self) -> &BlockAttributes {
        &self.attributes
    }

    /// The messages checked: of the block, or of the block that it replaces.
    pub fn messages(&self) -> &[CheckedMessage] {
        &self.messages
    }

    /// The block whose messages are checked, if it is another than the case's own.
    pub fn replaced(&self) -> Option<B256> {
        match &self.stage {
            Stage::Messages { examined, replaces: Some(_), .. } => Some(*examined),
            Stage::Decided(
                Verdict::UpheldReplacement { original, .. }
                | Verdict::Violated(Violation::UnjustifiedReplacement { original }),
            ) => Some(*original),
            Stage::Messages { .. } | Stage::Derivation | Stage::Decided(_) => None,
        }
    }

    /// The verdict, once there is one.
    pub const fn verdict(&self) -> Option<&Verdict> {
        match &self.stage {
            Stage::Decided(verdict) => Some(verdict),
            Stage::Derivation | Stage::Messages { .. } => None,
        }
    }

    /// What the case must know next. Empty once it is decided.
    pub fn needs(&self) -> BTreeSet<Need> {
        match &self.stage {
            Stage::Derivation => [Need::Derived].into(),
            Stage::Messages { examined, known: false, .. } => {
                [Need::Logs { hash: *examined, number: self.key.number }].into()
            }
            Stage::Messages { known: true, .. } => self.undecided_messages(),
            Stage::Decided(_) => BTreeSet::new(),
        }
    }

    /// What would decide the messages that are still unknown: of a decided case, those besides the invalid one.
    pub fn undecided_messages(&self) -> BTreeSet<Need> {
        self.messages.iter().filter_map(CheckedMessage::need).collect()
    }

    /// Takes a fact in. A fact that the case did not ask for changes nothing.
    pub fn learn(&mut self, set: &DependencySet, fact: &Fact<'_>) {
        match (fact, &self.stage) {
            (Fact::Derived { hash, attributes, candidates }, Stage::Derivation) => {
                self.stage = self.derive(*hash, attributes, candidates);
            }
            (Fact::Logs(logs), Stage::Messages { examined, replaces, known: false })
                if logs.hash() == *examined =>
            {
                let execution =
                    Execution { chain_id: self.key.chain_id, timestamp: self.attributes.timestamp };
                self.messages = CheckedMessage::all(set, execution, logs);
                self.stage = Stage::Messages { examined: *examined, replaces: *replaces, known: true };
            }
            (Fact::LogsGone, Stage::Messages { replaces: Some(Replaces { certain: false }), .. }) => {
                // L1 says that this block stands here, and it holds deposits only: nothing can be wrong.
                self.stage = Stage::Decided(Verdict::Upheld);
            }
            (Fact::LogsGone, Stage::Messages { replaces: Some(Replaces { certain: true }), .. }) => {
                // The chain has reorged since: ask again what L1 says.
                self.stage = Stage::Derivation;
            }
            (Fact::Initiating(logs), Stage::Messages { known: true, .. } | Stage::Decided(_)) => {
                self.check_messages(logs.chain_id(), Some(logs.number()), |message| {
                    Some(check_log(message, logs).err())
                });
            }
            (
                Fact::InitiatingTip { chain_id, number, timestamp },
                Stage::Messages { known: true, .. } | Stage::Decided(_),
            ) => {
                self.check_messages(*chain_id, None, |message| {
                    check_tip(message, (*number, *timestamp)).map(Some)
                });
            }
            _ => {}
        }
        self.decide();
    }

    fn derive(&self, hash: B256, derived: &BlockAttributes, candidates: &[Candidate]) -> Stage {
        let messages_of = |examined, replaces| Stage::Messages { examined, replaces, known: false };
        match consolidate(derived, &self.attributes) {
            Consolidation::AsDerived if hash != self.key.hash => {
                Stage::Decided(Verdict::Discarded(Discard::ExecutionDivergence { derived: hash }))
            }
            Consolidation::AsDerived => {
                let original = candidates.iter().find(|candidate| {
                    candidate.hash != self.key.hash && candidate.deposits_only == self.attributes
                });
                match original {
                    Some(original) => messages_of(original.hash, Some(Replaces { certain: false })),
                    None => messages_of(self.key.hash, None),
                }
            }
            Consolidation::DepositsOnly => messages_of(hash, Some(Replaces { certain: true })),
            Consolidation::Failed { derived, deposits_only } => {
                Stage::Decided(Verdict::Discarded(Discard::NotDerived { derived, deposits_only }))
            }
        }
    }

    /// Checks the open messages that cite a chain (and height). `check` says `None` where it cannot tell.
    fn check_messages(
        &mut self,
        chain_id: ChainId,
        number: Option<u64>,
        check: impl Fn(&crate::interop::Message) -> Option<Option<crate::interop::InvalidReason>>,
    ) {
        for checked in &mut self.messages {
            let Some(message) = checked.message.filter(|_| checked.status == MessageStatus::Unknown) else {
                continue;
            };
            let id = &message.identifier;
            if id.chain_id != chain_id || number.is_some_and(|number| number != id.block_number) {
                continue;
            }
            if let Some(outcome) = check(&message) {
                checked.status = outcome.map_or(MessageStatus::Valid, MessageStatus::Invalid);
            }
        }
    }

    fn decide(&mut self) {
        let Stage::Messages { examined, replaces, known: true } = self.stage else {
            return;
        };
        let invalid = self.messages.iter().find_map(|checked| match checked.status {
            MessageStatus::Invalid(reason) => Some(InvalidMessage { log_index: checked.log_index, reason }),
            MessageStatus::Valid | MessageStatus::Unknown => None,
        });
        let all_valid = self.messages.iter().all(|checked| checked.status == MessageStatus::Valid);
        let verdict = match (invalid, replaces) {
            (Some(invalid), Some(_)) => Verdict::UpheldReplacement { original: examined, invalid },
            (Some(invalid), None) => Verdict::Violated(Violation::InvalidMessage(invalid)),
            (None, _) if !all_valid => return,
            (None, Some(Replaces { certain: true })) => {
                Verdict::Violated(Violation::UnjustifiedReplacement { original: examined })
            }
            (None, Some(Replaces { certain: false }) | None) => Verdict::Upheld,
        };
        self.stage = Stage::Decided(verdict);
    }
}

impl CheckedMessage {
    /// The messages that a block executed, each checked as far as it can be by itself.
    fn all(set: &DependencySet, execution: Execution, logs: &ProvenLogs) -> Vec<Self> {
        let check = |executed: &crate::sources::Executed| match executed.message {
            Ok(executing) => Self {
                log_index: executed.log_index,
                message: Some(executing.message),
                status: check_claim(set, execution, &executing.message)
                    .map_or_else(MessageStatus::Invalid, |()| MessageStatus::Unknown),
            },
            Err(error) => Self {
                log_index: executed.log_index,
                message: None,
                status: MessageStatus::Invalid(error.into()),
            },
        };
        logs.executed().iter().map(check).collect()
    }
}

#[cfg(test)]
mod tests;
