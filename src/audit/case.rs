//! [`Case`]: one block under audit, from what is claimed to a verdict. Pure: facts come in, needs go out.
//!
//! ```text
//! Derivation --as derived--------(L1)--------> Messages(own) ------all valid--> upheld
//!     |  \---as derived, replaces a known---.       \-------------one invalid-> violated: invalid-message
//!     |       block (certain = false)        \
//!     |---deposits only (certain = true)-----> Messages(original) --one invalid-> upheld-replacement
//!     |                                                 \--all valid, certain---> violated: unjustified
//!     |                                                 \--all valid, uncertain-> upheld
//!     |---as derived, another hash---------------------------------------------> discarded: execution-divergence
//!     '---neither--------------------------------------------------------------> discarded: not-derived
//! ```
//!
//! Where L1 is asked, every way to `Messages` leads through it: (L1) --contradicts--> discarded, or superseded if L1
//! has dropped the block's origin for good.
//!
//! A fact that cannot be had leaves the case open. Nothing but a proven contradiction is invalid.

use super::checked_message::CheckedMessage;
use super::{Candidate, Discard, InvalidMessage, L1Contradiction, Verdict, Violation};
use crate::consolidation::{
    BlockAttributes, Consolidation, Fingerprint, OutputV0, Replacement, ReplacementRule, consolidate_by,
};
use crate::interop::{BlockKey, DependencySet, Execution, MessageStatus, check_claim, check_log, check_tip};
use crate::sources::ProvenLogs;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that a case must know to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The block that L1 says stands at the case's height.
    Derived,
    /// What L1 alone says of the case's block.
    L1,
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

/// An answer to a need.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// The derived block, and the other blocks with user transactions seen at its height.
    Derived {
        /// Its hash.
        hash: B256,
        /// Its attributes.
        attributes: &'a BlockAttributes,
        /// What its output root is the hash of.
        output: OutputV0,
        /// Blocks that the case's block may replace.
        candidates: &'a [Candidate],
    },
    /// L1 alone does not contradict the block.
    L1Agrees,
    /// L1 alone contradicts the block.
    L1Contradicts(&'a L1Contradiction),
    /// L1 has dropped, for good, the block's L1 origin.
    OriginDropped(BlockNumHash),
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
    /// What L1 alone says is wanted; then the case goes on.
    L1 {
        then: Box<Stage>,
    },
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

/// What holds for all cases of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseRules {
    /// Whether blocks are held against what L1 alone says, too.
    pub ask_l1: bool,
    /// What takes the place of an invalid block.
    pub replacement: ReplacementRule,
}

/// One block under audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    key: BlockKey,
    rules: CaseRules,
    attributes: Arc<BlockAttributes>,
    stage: Stage,
    messages: Vec<CheckedMessage>,
}

impl Case {
    /// A case about a block with these attributes.
    pub fn new(key: BlockKey, rules: CaseRules, attributes: BlockAttributes) -> Self {
        let attributes = Arc::new(attributes);
        Self { key, rules, attributes, stage: Stage::Derivation, messages: Vec::new() }
    }

    /// Which block it is about.
    pub const fn key(&self) -> &BlockKey {
        &self.key
    }

    /// The block's attributes.
    pub const fn attributes(&self) -> &Arc<BlockAttributes> {
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
            Stage::Messages { .. } | Stage::Derivation | Stage::L1 { .. } | Stage::Decided(_) => None,
        }
    }

    /// The verdict, once there is one.
    pub const fn verdict(&self) -> Option<&Verdict> {
        match &self.stage {
            Stage::Decided(verdict) => Some(verdict),
            Stage::Derivation | Stage::L1 { .. } | Stage::Messages { .. } => None,
        }
    }

    /// What the case must know next. Empty once it is decided.
    pub fn needs(&self) -> BTreeSet<Need> {
        match &self.stage {
            Stage::Derivation => [Need::Derived].into(),
            Stage::L1 { .. } => [Need::L1].into(),
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
            (Fact::Derived { hash, attributes, output, candidates }, Stage::Derivation) => {
                let replacement = self.rules.replacement.of(*output);
                self.stage = self.derive(*hash, attributes, replacement, candidates);
            }
            (Fact::L1Agrees, Stage::L1 { then }) => self.stage = (**then).clone(),
            (Fact::L1Contradicts(contradiction), Stage::L1 { .. }) => {
                let discard = Discard::ContradictsL1((*contradiction).clone());
                self.stage = Stage::Decided(Verdict::Discarded(discard));
            }
            (Fact::OriginDropped(l1_origin), Stage::Derivation | Stage::L1 { .. }) => {
                self.stage = Stage::Decided(Verdict::Superseded { l1_origin: *l1_origin });
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

    fn derive(
        &self,
        hash: B256,
        derived: &BlockAttributes,
        replacement: Replacement,
        candidates: &[Candidate],
    ) -> Stage {
        match consolidate_by(replacement, derived, &self.attributes) {
            Consolidation::AsDerived if hash != self.key.hash => {
                Stage::Decided(Verdict::Discarded(Discard::ExecutionDivergence { derived: hash }))
            }
            Consolidation::AsDerived => {
                let own = Fingerprint::of(&self.attributes);
                let original = candidates
                    .iter()
                    .find(|candidate| candidate.hash != self.key.hash && candidate.deposits_only == own);
                match original {
                    Some(original) => self.examine(original.hash, Some(Replaces { certain: false })),
                    None => self.examine(self.key.hash, None),
                }
            }
            Consolidation::DepositsOnly => self.examine(hash, Some(Replaces { certain: true })),
            Consolidation::Failed { derived, deposits_only } => {
                Stage::Decided(Verdict::Discarded(Discard::NotDerived { derived, deposits_only }))
            }
        }
    }

    /// The way to the messages of a block: through L1, where that is asked.
    fn examine(&self, examined: B256, replaces: Option<Replaces>) -> Stage {
        let messages = Stage::Messages { examined, replaces, known: false };
        // The old rule's replacements hold a deposit that L1 does not know.
        let is_beyond_l1 = replaces.is_some() && self.rules.replacement != ReplacementRule::DepositsOnly;
        if self.rules.ask_l1 && !is_beyond_l1 { Stage::L1 { then: Box::new(messages) } } else { messages }
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
