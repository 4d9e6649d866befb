//! [`Validator`]: judges the frames of one chain, on every topic.
//!
//! ```text
//! frame --open--> Frame --authenticate--> AuthenticFrame --decode, rules, history--> ValidBlock
//! ```
//!
//! A pure state machine: time, signers and frames are arguments, the judgement is the result. What it
//! remembers is separate for each topic, is bounded, and changes only when a block has passed every other
//! rule.

use crate::{
    AuthenticFrame, Envelope, Frame, GossipMessageId, Judgement, Reason, Refusal, SettledBlocks, Signers,
    SigningDomain, Topic, UnixSeconds, ValidBlock, ValidationRules, rules::check_block,
    seen_blocks::SeenBlocks,
};
use alloy_primitives::{B256, Bytes};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many signed blocks of a topic may be outside the window, with none accepted in between, before the
/// clock is doubted and not their senders.
pub const MAX_OUT_OF_WINDOW: u32 = 8;

/// Judges the frames of one chain by the rules of each topic.
///
/// The [crate's documentation](crate#the-rules) lists the rules in the order of the checks. A validator
/// remembers the blocks that it accepted, by height, for [`ValidationRules::max_heights_on`] heights of each
/// topic.
///
/// See the [example](crate#open-authenticate-and-judge-a-frame) in the crate's documentation.
#[derive(Debug)]
pub struct Validator {
    rules: ValidationRules,
    topics: BTreeMap<Topic, TopicState>,
    settled: Arc<SettledBlocks>,
}

/// What is remembered of a topic.
#[derive(Debug)]
struct TopicState {
    seen: SeenBlocks,
    /// The signed blocks outside the window since the last that was accepted.
    out_of_window: u32,
}

impl Validator {
    /// A validator that has accepted no block yet.
    pub fn new(rules: ValidationRules) -> Self {
        Self { rules, topics: BTreeMap::new(), settled: Arc::default() }
    }

    /// The rules that it judges by.
    pub const fn rules(&self) -> &ValidationRules {
        &self.rules
    }

    /// Ignores attestations of these blocks from now on, and of no others. Replaces the set that was given
    /// before.
    pub fn set_settled(&mut self, settled: Arc<SettledBlocks>) {
        self.settled = settled;
    }

    /// Judges a frame: `frame` is the data of a gossip message that arrived on `topic` at the time `now`,
    /// `signers` who may sign at that time.
    ///
    /// If more than [`MAX_OUT_OF_WINDOW`] signed blocks of a topic in a row are outside the window, the clock
    /// that `now` was read from is the likelier cause: from then on they are ignored and not rejected, until
    /// one is accepted.
    pub fn judge(&mut self, topic: Topic, frame: &Bytes, signers: &Signers, now: UnixSeconds) -> Judgement {
        self.judge_message(topic, frame, None, signers, now)
    }

    /// Judges a frame whose message id on the topic may be known, so that it need not be computed again.
    pub(crate) fn judge_message(
        &mut self,
        topic: Topic,
        frame: &Bytes,
        id: Option<GossipMessageId>,
        signers: &Signers,
        now: UnixSeconds,
    ) -> Judgement {
        let opened = open(&self.rules, topic, frame, id, &signers.at(now));
        match opened.and_then(|(frame, envelope, id)| self.admit(frame, envelope, id, now)) {
            Ok(block) => {
                self.topic(topic).out_of_window = 0;
                Judgement::Accept(block)
            }
            Err(refusal) if refusal.reason.is_out_of_window() && self.is_clock_doubted(topic) => {
                Judgement::Ignore(refusal)
            }
            Err(refusal) => Judgement::refused(topic, refusal),
        }
    }

    /// Whether there is a doubt about the clock now that one more block of a topic lies outside the window.
    fn is_clock_doubted(&mut self, topic: Topic) -> bool {
        let out_of_window = &mut self.topic(topic).out_of_window;
        *out_of_window = out_of_window.saturating_add(1);
        *out_of_window > MAX_OUT_OF_WINDOW
    }

    fn topic(&mut self, topic: Topic) -> &mut TopicState {
        let heights = self.rules.max_heights_on(topic);
        let fresh = || TopicState { seen: SeenBlocks::new(heights), out_of_window: 0 };
        self.topics.entry(topic).or_insert_with(fresh)
    }

    /// Judges a frame by every rule except those of time and history: a frame that is read back from a ledger
    /// or a file.
    ///
    /// # Errors
    /// The [`Refusal`] with the first rule that it breaks.
    pub fn reopen(
        rules: &ValidationRules,
        topic: Topic,
        frame: &Bytes,
        signers: &Signers,
    ) -> Result<ValidBlock, Refusal> {
        let (frame, envelope, id) = open(rules, topic, frame, None, signers)?;
        check_block(&envelope, &rules.forks).map_err(|reason| frame.refuse(reason))?;
        Ok(ValidBlock::new(frame, envelope, id, Vec::new()))
    }

    /// What time and history have to say.
    fn admit(
        &mut self,
        frame: AuthenticFrame,
        envelope: Envelope,
        id: GossipMessageId,
        now: UnixSeconds,
    ) -> Result<ValidBlock, Refusal> {
        let topic = frame.topic();
        let (number, hash, domain) = (envelope.payload.number, envelope.payload.block_hash, frame.domain());
        let (window, max_blocks) = (self.rules.window(topic, now), self.rules.max_blocks_per_height);
        window
            .check(envelope.payload.timestamp)
            .and_then(|()| check_block(&envelope, &self.rules.forks))
            .and_then(|()| self.check_not_settled(topic, number, hash))
            .and_then(|()| self.topic(topic).seen.check(max_blocks, number, hash, domain))
            .map_err(|reason| frame.refuse(reason))?;
        let rivals = self.topic(topic).seen.mark(number, hash, domain);
        Ok(ValidBlock::new(frame, envelope, id, rivals))
    }

    fn check_not_settled(&self, topic: Topic, number: u64, hash: B256) -> Result<(), Reason> {
        match topic.is_cross_safe() && self.settled.contains(number, hash) {
            true => Err(Reason::AlreadySettled { number, hash }),
            false => Ok(()),
        }
    }
}

/// Opens, authenticates, and only then decodes.
fn open(
    rules: &ValidationRules,
    topic: Topic,
    frame: &Bytes,
    id: Option<GossipMessageId>,
    signers: &Signers,
) -> Result<(AuthenticFrame, Envelope, GossipMessageId), Refusal> {
    let (frame, id) = Frame::open_on(topic, rules, frame, id)?;
    let frame = frame.authenticate(topic, rules.chain_id, signers)?;
    if topic.is_cross_safe() && !rules.accepts_zero_domain && frame.domain() == SigningDomain::Zero {
        return Err(frame.refuse(Reason::ReplayableDomain));
    }
    let envelope = frame.decode().map_err(|malformed| frame.refuse(malformed.into()))?;
    Ok((frame, envelope, id))
}

#[cfg(test)]
mod tests;
