//! [`Case`]: one block under audit, from what is claimed to a verdict. Pure: facts come in, needs go out.
//!
//! ```text
//! Derivation --as derived--------(L1)--------> Messages(own) ------all valid--> upheld
//!     |  \---as derived, replaces a known---.       \-------------one invalid-> violated: invalid-message
//!     |       block (certain = false)        \
//!     |---deposits only (certain = true)-----> Messages(original) --one invalid-> upheld-replacement
//!     |                                                 \--all valid, certain---> Former, violated: unjustified
//!     |                                                 \--all valid, uncertain-> upheld
//!     |---the node has its replacement-------> Messages(own) ---one invalid----> violated: invalid-message
//!     |                                                      \--all valid------> discarded: not-derived
//!     |---as derived, another hash---------------------------------------------> discarded: execution-divergence
//!     '---neither, and the branches part here----------------------------------> Former, discarded: not-derived
//! ```
//!
//! `Former`: the case's block has the deposits of another that was seen at its height, and that L1 does not
//! say now. L1 may have said so when the block was attested, so that other block is looked at first. If it is
//! not known to be valid, the case's block may have been right on a branch of L1 that was reorged out. It is
//! superseded once what L1 says of the height is final.
//!
//! A message in `Messages` goes through three gates. What a gate proves wrong is invalid; what lacks a fact is
//! unknown.
//!
//! ```text
//! own clauses --> (Initiating: the cited log) --> (CitedBlock: the cited block's own validity) --> valid
//!                                             \-> (SameTimestamp: no cycle; if initiated when executed) -/
//! ```
//!
//! Branches part at a block whose parent is the derived one's, or was found invalid, and whose L1 origin L1
//! has. A block on another branch waits, and is superseded when that branch is removed permanently.
//!
//! Where L1 is asked, every way to `Messages` leads through it: (L1) --contradicts--> discarded, or
//! superseded if L1 has dropped the block's origin permanently.
//!
//! What is used against the case's block because the chain's node has another waits in `SecondHand` while
//! that node repeats another node's claim: until L1 alone contradicts the block, or another node that has
//! derived the chain says the same. A message that is invalid by itself needs no second opinion.
//!
//! A fact that is unavailable leaves the case open. Nothing but a proven contradiction is invalid. What was
//! learnt of a block says nothing of another that takes its place: the gates are tied to hashes, and a case
//! starts again when a chain that it may rest on has moved back.

mod stage;

use super::checked_message::CheckedMessage;
use super::{
    AroundNeed, Candidate, DerivedBlock, Discard, Fact, FactNeed, InvalidMessage, Need, Superseding, Verdict,
    Violation,
};
use crate::case::machine::stage::{Cited, Gates, Held, Replaces, Stage};
use crate::consolidation::deposits::TakenFromNode;
use crate::consolidation::{BlockAttributes, Consolidation, Fingerprint, ReplacementRule, consolidate_by};
use crate::message::{BlockKey, Identifier, Message};
use crate::proof::ProvenLogs;
use crate::validity::{
    DependencySet, Execution, InvalidReason, MessageStatus, Objection, SameTimestamp, check_executed,
    check_log, check_tip, cyclic_chains, rule_dependent_chains,
};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is said of a block that a cycle depends on, and that is in none.
const RULE_DEPENDENT: &str =
    "; rule-dependent: a cycle depends on its messages, so older nodes replace it and newer nodes do not";

/// The rules for all cases of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseRules {
    /// Whether blocks are checked against what L1 alone says, too.
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
    gates: Gates,
    /// What was not checked against L1, but taken from the rollup node.
    taken: Option<TakenFromNode>,
    /// Whether nodes of one version replace the examined block for a cycle and those of another do not.
    is_rule_dependent: bool,
    /// What the chain's node has at the height, if it has not derived it itself.
    second_hand: Option<B256>,
    /// What the verdict is if every message of the examined block is valid.
    unless_invalid: Option<Verdict>,
    /// The blocks that were seen at the height, have the case's block's deposits, and are not what L1 says
    /// now.
    former: Vec<B256>,
    /// The messages of what L1 says, while a former block is checked.
    of_derived: Option<(Vec<CheckedMessage>, Gates)>,
    /// Which state of the chains its facts are of. `None`: of one that is not kept track of.
    view: Option<u64>,
}

impl Case {
    /// A case about a block with these attributes.
    pub fn new(key: BlockKey, rules: CaseRules, attributes: BlockAttributes) -> Self {
        Self::begin(key, rules, Arc::new(attributes), None)
    }

    fn begin(key: BlockKey, rules: CaseRules, attributes: Arc<BlockAttributes>, view: Option<u64>) -> Self {
        Self {
            key,
            rules,
            attributes,
            stage: Stage::Derivation,
            messages: Vec::new(),
            gates: Gates::default(),
            taken: None,
            is_rule_dependent: false,
            second_hand: None,
            unless_invalid: None,
            former: Vec::new(),
            of_derived: None,
            view,
        }
    }

    /// The same case, for which nothing was learnt.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::begin(self.key, self.rules, Arc::clone(&self.attributes), None)
    }

    /// Says which state of the chains the facts to come are of; `None`: it cannot be determined. A case
    /// without a verdict whose facts are of another state starts again.
    pub fn observe_view(&mut self, view: Option<u64>) {
        if (view.is_none() || self.view != view) && self.verdict().is_none() {
            *self = Self::begin(self.key, self.rules, Arc::clone(&self.attributes), view);
        }
    }

    /// Whether nothing has been learnt for it yet.
    pub fn is_new(&self) -> bool {
        self.stage == Stage::Derivation
    }

    /// Which block it is about.
    pub const fn key(&self) -> &BlockKey {
        &self.key
    }

    /// The block's attributes.
    pub const fn attributes(&self) -> &Arc<BlockAttributes> {
        &self.attributes
    }

    /// What was not checked against L1, but taken from the rollup node.
    pub const fn taken(&self) -> Option<&TakenFromNode> {
        self.taken.as_ref()
    }

    /// What was found, for people. `None`: there is no verdict yet.
    pub fn detail(&self) -> Option<String> {
        let mut detail = self.verdict()?.detail();
        if let Some(taken) = &self.taken {
            detail = format!("{detail}; {taken}");
        }
        if self.is_rule_dependent {
            detail.push_str(RULE_DEPENDENT);
        }
        Some(detail)
    }

    /// Whether nodes of one version replace the examined block for a cycle and those of another do not.
    pub const fn is_rule_dependent(&self) -> bool {
        self.is_rule_dependent
    }

    /// The messages checked: of the block, or of the block that it replaces.
    pub fn messages(&self) -> &[CheckedMessage] {
        &self.messages
    }

    /// The logs of the block whose messages are checked, once they are known.
    pub const fn examined(&self) -> Option<&Arc<ProvenLogs>> {
        self.gates.logs.as_ref()
    }

    /// Whether a verdict that every message is valid would accuse an attester: for the block that is replaced
    /// is the one that L1 derives here, or all that might excuse another.
    pub const fn accuses_if_valid(&self) -> bool {
        matches!(self.stage, Stage::Messages { replaces: Some(Replaces::Derived | Replaces::Former), .. })
    }

    /// The block whose messages are checked, if it is another than the case's own.
    pub fn replaced(&self) -> Option<B256> {
        match &self.stage {
            Stage::Messages { examined, replaces: Some(_), .. } => Some(*examined),
            Stage::Undone { original }
            | Stage::Decided(
                Verdict::UpheldReplacement { original, .. }
                | Verdict::Superseded(Superseding::Undone { original })
                | Verdict::Violated(Violation::UnjustifiedReplacement { original }),
            ) => Some(*original),
            Stage::SecondHand { accusation, .. } => match accusation {
                Verdict::Violated(Violation::UnjustifiedReplacement { original }) => Some(*original),
                _ => None,
            },
            Stage::Messages { .. } | Stage::Derivation | Stage::L1 { .. } | Stage::Decided(_) => None,
        }
    }

    /// The verdict, once there is one.
    pub const fn verdict(&self) -> Option<&Verdict> {
        match &self.stage {
            Stage::Decided(verdict) => Some(verdict),
            Stage::Derivation
            | Stage::L1 { .. }
            | Stage::Messages { .. }
            | Stage::Undone { .. }
            | Stage::SecondHand { .. } => None,
        }
    }

    /// What the case must know next. Empty once it is decided.
    pub fn needs(&self) -> BTreeSet<Need> {
        match &self.stage {
            Stage::Derivation => [Need::Fact(FactNeed::Derived)].into(),
            Stage::L1 { .. } => [Need::Fact(FactNeed::L1)].into(),
            Stage::Messages { examined, known: false, .. } => {
                [Need::Fact(FactNeed::Logs { hash: *examined, number: self.key.number })].into()
            }
            Stage::Messages { known: true, .. } => self.undecided_messages(),
            Stage::Undone { .. } => [Need::Fact(FactNeed::Final)].into(),
            Stage::SecondHand { derived, .. } => {
                [Need::Fact(FactNeed::Corroboration { derived: *derived })].into()
            }
            Stage::Decided(_) => BTreeSet::new(),
        }
    }

    /// What would decide the messages that are still unknown: of a decided case, those besides the invalid
    /// one.
    pub fn undecided_messages(&self) -> BTreeSet<Need> {
        self.messages.iter().flat_map(|checked| self.needs_of(checked)).collect()
    }

    fn needs_of(&self, checked: &CheckedMessage) -> BTreeSet<Need> {
        if checked.status != MessageStatus::Unknown {
            return BTreeSet::new();
        }
        let message = checked.message;
        let id = message.identifier;
        let (chain_id, number, timestamp) = (id.chain_id, id.block_number, id.timestamp);
        let Some(held) = self.gates.held.get(&checked.log_index) else {
            return [Need::Fact(FactNeed::Initiating { chain_id, number, timestamp })].into();
        };
        let mut needs = BTreeSet::new();
        if !held.lasts && !self.is_sound((chain_id, number), held.block) {
            needs.insert(Need::Around(AroundNeed::CitedBlock { chain_id, number }));
        }
        if self.depends_on_same_timestamp(&message) {
            needs.insert(Need::Around(AroundNeed::SameTimestamp { timestamp }));
        }
        needs
    }

    /// Whether a cited block is known to be valid itself. The examined one is what is being found out.
    fn is_sound(&self, cited: (ChainId, u64), block: B256) -> bool {
        let sound = Cited { block, is_valid: true };
        cited == (self.key.chain_id, self.key.number) || self.gates.cited.get(&cited) == Some(&sound)
    }

    fn depends_on_same_timestamp(&self, message: &Message) -> bool {
        message.identifier.timestamp == self.attributes.timestamp && !self.gates.is_acyclic
    }

    /// Takes a fact in. A fact that the case did not ask for changes nothing.
    pub fn learn(&mut self, set: &DependencySet, fact: &Fact) {
        match (fact, &self.stage) {
            (Fact::Derived(derived), Stage::Derivation) => {
                self.second_hand = derived.is_second_hand.then_some(derived.hash);
                self.stage = self.derive(derived);
            }
            (Fact::L1Agrees { taken }, Stage::L1 { then }) => {
                self.stage = (**then).clone();
                self.taken.clone_from(taken);
            }
            (Fact::L1Contradicts(contradiction), Stage::L1 { .. } | Stage::SecondHand { .. }) => {
                let discard = Discard::ContradictsL1((**contradiction).clone());
                self.stage = Stage::Decided(Verdict::Discarded(discard));
            }
            (
                Fact::OriginDropped(l1_origin),
                Stage::Derivation | Stage::L1 { .. } | Stage::SecondHand { .. },
            ) => {
                self.stage = Stage::Decided(Verdict::Superseded(Superseding::Origin(*l1_origin)));
            }
            (Fact::BranchLeft { parent }, Stage::Derivation) => {
                self.stage = Stage::Decided(Verdict::Superseded(Superseding::Branch { parent: *parent }));
            }
            (Fact::Logs(logs), Stage::Messages { examined, replaces, known: false })
                if logs.hash() == *examined =>
            {
                let execution =
                    Execution { chain_id: self.key.chain_id, timestamp: self.attributes.timestamp };
                self.messages = CheckedMessage::all(set, execution, logs);
                self.gates = Gates { logs: Some(Arc::clone(logs)), ..Gates::default() };
                self.stage = Stage::Messages { examined: *examined, replaces: *replaces, known: true };
            }
            (Fact::LogsGone, Stage::Messages { replaces: Some(Replaces::Seen), .. }) => {
                // L1 derives this block here, and it has deposits only: nothing can be wrong.
                self.stage = Stage::Decided(Verdict::Upheld);
            }
            (Fact::LogsGone, Stage::Messages { replaces: Some(Replaces::Derived), .. }) => {
                // The chain has reorged since: ask again what L1 says.
                self.stage = Stage::Derivation;
            }
            (Fact::LogsGone, Stage::Messages { examined, replaces: Some(Replaces::Former), .. }) => {
                // It is no longer known whether it was valid.
                self.stage = Stage::Undone { original: *examined };
            }
            (Fact::Final, Stage::Undone { original }) => {
                self.stage = Stage::Decided(Verdict::Superseded(Superseding::Undone { original: *original }));
            }
            (Fact::Corroborated { derived: said }, Stage::SecondHand { derived, accusation })
                if said == derived =>
            {
                self.stage = Stage::Decided(accusation.clone());
            }
            (Fact::DerivedOther, Stage::SecondHand { .. }) => {
                *self = Self::begin(self.key, self.rules, Arc::clone(&self.attributes), self.view);
            }
            (fact, Stage::Messages { known: true, .. } | Stage::Decided(_)) => {
                self.learn_messages(set, fact);
            }
            _ => {}
        }
        self.decide();
    }

    fn derive(&mut self, block: &DerivedBlock) -> Stage {
        let DerivedBlock { hash, attributes: derived, output, candidates, .. } = block;
        let (hash, replacement) = (*hash, self.rules.replacement.of(*output));
        match consolidate_by(replacement, derived, &self.attributes) {
            Consolidation::AsDerived if hash != self.key.hash => {
                self.stage_of_accusation(Verdict::Discarded(Discard::ExecutionDivergence { derived: hash }))
            }
            Consolidation::AsDerived => {
                let own = Fingerprint::of(&self.attributes);
                let original = candidates
                    .iter()
                    .find(|candidate| candidate.hash != self.key.hash && candidate.deposits_only == own);
                match original {
                    Some(original) => self.examine(original.hash, Some(Replaces::Seen)),
                    None => self.examine(self.key.hash, None),
                }
            }
            Consolidation::DepositsOnly => {
                self.former = self.former(hash, candidates);
                self.examine(hash, Some(Replaces::Derived))
            }
            Consolidation::Failed { derived: mismatch, deposits_only } => {
                let discard = Discard::NotDerived { derived: mismatch, deposits_only };
                let discarded = Verdict::Discarded(discard);
                let own = Candidate::of(self.key.hash, &self.attributes, replacement);
                if own.is_some_and(|own| own.deposits_only == Fingerprint::of(derived)) {
                    self.unless_invalid = Some(discarded);
                    return self.examine(self.key.hash, None);
                }
                self.former = self.former(hash, candidates);
                let Some(former) = self.former.pop() else { return self.stage_of_accusation(discarded) };
                self.unless_invalid = Some(discarded);
                self.examine(former, Some(Replaces::Former))
            }
        }
    }

    /// What follows from a verdict against the case's block that rests on what the chain's node has at the
    /// height.
    fn stage_of_accusation(&self, accusation: Verdict) -> Stage {
        match self.second_hand {
            Some(derived) => Stage::SecondHand { derived, accusation },
            None => Stage::Decided(accusation),
        }
    }

    /// The blocks seen at the height that the case's block would be the replacement of, but for what L1 says.
    fn former(&self, derived: B256, candidates: &[Candidate]) -> Vec<B256> {
        let own = Fingerprint::of(&self.attributes);
        let is_former = |candidate: &&Candidate| {
            candidate.deposits_only == own && ![derived, self.key.hash].contains(&candidate.hash)
        };
        candidates.iter().filter(is_former).map(|candidate| candidate.hash).collect()
    }

    /// The way to the messages of a block: through L1, where that is asked.
    fn examine(&self, examined: B256, replaces: Option<Replaces>) -> Stage {
        let messages = Stage::Messages { examined, replaces, known: false };
        // The old rule's replacements have a deposit that L1 does not know.
        let is_beyond_l1 = replaces.is_some() && self.rules.replacement != ReplacementRule::DepositsOnly;
        if self.rules.ask_l1 && !is_beyond_l1 { Stage::L1 { then: Box::new(messages) } } else { messages }
    }

    fn learn_cited(&mut self, BlockKey { chain_id, number, hash }: BlockKey, is_valid: bool) {
        self.gates.cited.insert((chain_id, number), Cited { block: hash, is_valid });
        self.compare_with_cited((chain_id, number));
    }

    fn learn_messages(&mut self, set: &DependencySet, fact: &Fact) {
        match *fact {
            Fact::Initiating { ref logs, is_valid } => {
                self.check_against_logs(logs);
                if is_valid {
                    self.learn_cited(logs.key(), true);
                }
            }
            Fact::InitiatingTip { chain_id, number, timestamp } => self.check_messages(
                |_, id| id.chain_id == chain_id,
                |message| check_tip(message, (number, timestamp)).map_or(Ok(()), Err),
            ),
            Fact::CitedBlock { key, is_valid } => self.learn_cited(key, is_valid),
            Fact::SameTimestamp { ref messages, is_complete } => {
                self.check_cycles(set, messages, is_complete);
            }
            Fact::Derived(_)
            | Fact::L1Agrees { .. }
            | Fact::L1Contradicts(_)
            | Fact::OriginDropped(_)
            | Fact::BranchLeft { .. }
            | Fact::Logs(_)
            | Fact::LogsGone
            | Fact::Final
            | Fact::Corroborated { .. }
            | Fact::DerivedOther => {}
        }
        self.mark_valid_messages();
    }

    /// Checks the messages that cite a block against its logs.
    fn check_against_logs(&mut self, logs: &ProvenLogs) {
        let cited = (logs.chain_id(), logs.number());
        let cites = |id: &Identifier| (id.chain_id, id.block_number) == cited;
        self.check_messages(|_, id| cites(id), |message| check_log(message, logs));
        for checked in &self.messages {
            let id = &checked.message.identifier;
            if cites(id) && checked.status == MessageStatus::Unknown {
                let held = Held { block: logs.hash(), lasts: logs.survives_replacement(id.log_index) };
                self.gates.held.insert(checked.log_index, held);
            }
        }
        // What was known of another block of the height says nothing of this one.
        if self.gates.cited.get(&cited).is_some_and(|known| known.block != logs.hash()) {
            self.gates.cited.remove(&cited);
        }
        self.compare_with_cited(cited);
    }

    /// Checks the messages whose log was seen in a cited block against what is known of that block. If
    /// another is there now, its logs must be seen.
    fn compare_with_cited(&mut self, (chain_id, number): (ChainId, u64)) {
        let Some(Cited { block, is_valid }) = self.gates.cited.get(&(chain_id, number)).copied() else {
            return;
        };
        let mut falls = BTreeSet::new();
        for checked in &self.messages {
            let id = &checked.message.identifier;
            let Some(held) = self.gates.held.get(&checked.log_index).copied() else { continue };
            if (id.chain_id, id.block_number) != (chain_id, number) {
                continue;
            }
            if held.block != block {
                self.gates.held.remove(&checked.log_index);
            } else if !is_valid && !held.lasts {
                falls.insert(checked.log_index);
            }
        }
        let reason = InvalidReason::InitiatingBlockInvalid { chain_id, number, hash: block };
        self.check_messages(|log_index, _| falls.contains(&log_index), |_| Err(reason));
    }

    /// Checks the messages of the block's own timestamp for cycles.
    fn check_cycles(&mut self, set: &DependencySet, messages: &[SameTimestamp], is_complete: bool) {
        let timestamp = self.attributes.timestamp;
        let rule = set.cycle_rule();
        // Among some of the messages a cycle is found that stays when others join. Whether a chain is
        // rule-dependent is only known of all of them.
        let is_cyclic = cyclic_chains(rule, messages).contains(&self.key.chain_id);
        self.is_rule_dependent = if is_complete {
            !is_cyclic && rule_dependent_chains(rule, messages).contains(&self.key.chain_id)
        } else {
            self.is_rule_dependent && !is_cyclic
        };
        // By one rule in use a rule-dependent block had to be replaced: anyone who did is not to blame.
        if is_cyclic || (self.is_rule_dependent && self.replaced().is_some()) {
            let reason = InvalidReason::Cycle { timestamp };
            self.check_messages(|_, id| id.timestamp == timestamp, |_| Err(reason));
        }
        self.gates.is_acyclic |= is_complete;
    }

    /// Checks the open messages that are meant, by their own log index and their identifier.
    fn check_messages(
        &mut self,
        is_meant: impl Fn(u32, &Identifier) -> bool,
        check: impl Fn(&Message) -> Result<(), InvalidReason>,
    ) {
        for checked in &mut self.messages {
            let is_open = checked.status == MessageStatus::Unknown
                && is_meant(checked.log_index, &checked.message.identifier);
            if is_open && let Err(reason) = check(&checked.message) {
                checked.status = MessageStatus::Invalid(reason);
            }
        }
    }

    /// Marks the messages valid that have passed every gate.
    fn mark_valid_messages(&mut self) {
        let has_passed = |checked: &CheckedMessage| {
            checked.status == MessageStatus::Unknown && self.needs_of(checked).is_empty()
        };
        let passed: Vec<bool> = self.messages.iter().map(has_passed).collect();
        for (checked, has_passed) in self.messages.iter_mut().zip(passed) {
            if has_passed {
                checked.status = MessageStatus::Valid;
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
            (Some(_), Some(Replaces::Former)) => {
                self.stage = Stage::Undone { original: examined };
                return;
            }
            (Some(invalid), Some(Replaces::Seen | Replaces::Derived)) => {
                Verdict::UpheldReplacement { original: examined, invalid }
            }
            (Some(invalid), None) => Verdict::Violated(Violation::InvalidMessage(invalid)),
            (None, _) if !all_valid => return,
            (None, Some(Replaces::Derived)) => {
                self.of_derived =
                    Some((core::mem::take(&mut self.messages), core::mem::take(&mut self.gates)));
                return self
                    .accuse(Verdict::Violated(Violation::UnjustifiedReplacement { original: examined }));
            }
            (None, Some(Replaces::Former)) => match self.unless_invalid.take() {
                Some(accusation) => return self.accuse(accusation),
                None => return,
            },
            (None, Some(Replaces::Seen) | None) => match self.unless_invalid.take() {
                Some(accusation) => {
                    self.stage = self.stage_of_accusation(accusation);
                    return;
                }
                None => Verdict::Upheld,
            },
        };
        self.stage = Stage::Decided(verdict);
    }

    /// Says that the case's block replaces nothing rightly, unless it may have replaced another that was seen
    /// at its height.
    fn accuse(&mut self, accusation: Verdict) {
        if let Some(examined) = self.former.pop() {
            self.unless_invalid = Some(accusation);
            self.stage = Stage::Messages { examined, replaces: Some(Replaces::Former), known: false };
            return;
        }
        (self.messages, self.gates) = self.of_derived.take().unwrap_or_default();
        self.stage = self.stage_of_accusation(accusation);
    }
}

impl CheckedMessage {
    /// The messages that a block executed, each checked as far as it can be by itself.
    fn all(set: &DependencySet, execution: Execution, logs: &ProvenLogs) -> Vec<Self> {
        let check = |executed: &crate::proof::Executed| Self {
            log_index: executed.log_index,
            message: executed.message.message,
            status: match check_executed(set, execution, executed) {
                Err(Objection::Broken(reason)) => MessageStatus::Invalid(reason),
                Err(Objection::Unclear(_)) | Ok(_) => MessageStatus::Unknown,
            },
        };
        logs.executed().iter().map(check).collect()
    }
}

#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
