//! [`Judge`]: the task that judges one topic's frames, in the order of their arrival.
//!
//! Hashing an 8 MiB block takes longer than the swarm may wait, so frames are judged on a blocking thread.
//! The queue of frames is bounded in number and in bytes. While its blocks are not received, this task waits,
//! and not the swarm.

use super::{
    event::{Events, NetworkEvent},
    frame_counts::FrameCounters,
    scoring::PeerAction,
};
use crate::{
    GossipMessageId, Judgement, Reason, Refusal, RefusalVerdict, SettledBlocks, Signers, Topic, UnixSeconds,
    ValidBlock, ValidationRules, Validator,
};
use alloy_primitives::{Address, Bytes};
use libp2p::{
    PeerId,
    gossipsub::{self, MessageAcceptance},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// One permit of the semaphore is this many bytes, so that 32 bits count the bytes of any queue.
const PERMIT_BYTES: usize = 1024;

/// How long the first frames wait for a known signer. After a start it has to be read from L1 first.
const SIGNER_WAIT: Duration = Duration::from_secs(5);

/// For how long after an accepted block its timestamp bounds how far ahead our clock may be, seconds.
const CLOCK_EVIDENCE_SECS: u64 = 30;
/// How much older than the window a block must be for its sender to be blamed, seconds: a relay's clock may
/// be wrong, too.
const OLD_MARGIN_SECS: u64 = 10 * 60;

/// The last accepted block, which bounds our clock's error: a sequencer does not sign blocks of the future
/// for long, so our clock is ahead by no more than the age that the block appeared to have.
#[derive(Clone, Copy, Debug)]
struct ClockEvidence {
    arrived: UnixSeconds,
    age: u64,
}

impl ClockEvidence {
    fn of(pending: &PendingFrame, block: &ValidBlock) -> Self {
        Self { arrived: pending.arrived, age: pending.arrived.0.saturating_sub(block.timestamp().0) }
    }

    /// Whether a block was too old when it arrived even if our clock is as far ahead as it can be.
    const fn proves_too_old(&self, timestamp: UnixSeconds, now: UnixSeconds, max_age_secs: u64) -> bool {
        let allowed = max_age_secs.saturating_add(OLD_MARGIN_SECS).saturating_add(self.age);
        now.0.saturating_sub(self.arrived.0) <= CLOCK_EVIDENCE_SECS
            && now.0.saturating_sub(timestamp.0) > allowed
    }
}

/// A frame to be judged.
#[derive(Debug)]
pub(super) struct PendingFrame {
    /// The gossip message's id, to report under.
    pub(super) id: gossipsub::MessageId,
    /// Who sent it.
    pub(super) source: PeerId,
    /// The frame.
    pub(super) frame: Bytes,
    /// When it arrived: for latency.
    pub(super) at: Instant,
    /// When it arrived: for the window. Waiting in the queue must not make a block too old.
    pub(super) arrived: UnixSeconds,
}

/// A verdict for gossipsub.
#[derive(Debug)]
pub(super) struct ValidationReport {
    /// The message.
    pub(super) id: gossipsub::MessageId,
    /// Who sent it.
    pub(super) source: PeerId,
    /// Whether gossipsub passes it on.
    pub(super) acceptance: MessageAcceptance,
    /// What counts for or against its sender, if anything.
    pub(super) action: Option<PeerAction>,
    /// The block, if the frame was accepted.
    pub(super) block: Option<ValidBlock>,
}

impl ValidationReport {
    /// The report of a frame that was not judged: it is ignored, and its sender is not blamed.
    pub(super) const fn unjudged(id: gossipsub::MessageId, source: PeerId) -> Self {
        Self { id, source, acceptance: MessageAcceptance::Ignore, action: None, block: None }
    }
}

/// The sending half of a judge's queue.
#[derive(Debug)]
pub(super) struct JudgeQueue {
    pending_frames: mpsc::Sender<(PendingFrame, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
}

impl JudgeQueue {
    /// Queues a frame, or returns it if the queue is full.
    pub(super) fn push(&self, pending: PendingFrame) -> Result<(), Box<PendingFrame>> {
        let units = u32::try_from(pending.frame.len().div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.bytes).try_acquire_many_owned(units) else {
            return Err(Box::new(pending));
        };
        self.pending_frames.try_send((pending, permit)).map_err(|error| Box::new(error.into_inner().0))
    }
}

/// The facts that a judge depends on and does not determine itself. Shared by the judges of a chain.
#[derive(Clone, Debug)]
pub(super) struct JudgeContext {
    /// Who may sign.
    pub(super) signers: watch::Receiver<Signers>,
    /// The last current signer that a block was accepted from, on any topic: it ends the grace of the one
    /// before.
    pub(super) last_signer: watch::Sender<Option<Address>>,
    /// The blocks whose attestations are ignored from now on.
    pub(super) settled: watch::Receiver<Arc<SettledBlocks>>,
}

impl JudgeContext {
    /// Who may sign now.
    fn current_signers(&self) -> Signers {
        let signers = *self.signers.borrow();
        self.last_signer.borrow().map_or(signers, |signer| signers.after_block_by(signer))
    }

    /// Waits until a signer is known for a topic, for [`SIGNER_WAIT`] at most.
    async fn await_signer(&self, topic: Topic) {
        let mut signers = self.signers.clone();
        let known = signers.wait_for(|signers| signers.expected_on(topic).is_some());
        // Without a signer frames are still judged, and ignored.
        let _waited = tokio::time::timeout(SIGNER_WAIT, known).await;
    }

    /// Records that a block by this signer was accepted.
    fn record_signer(&self, signer: Address) {
        if self.signers.borrow().unsafe_block_signer == Some(signer) {
            self.last_signer.send_replace(Some(signer));
        }
    }
}

/// The task's state.
#[derive(Debug)]
pub(super) struct Judge {
    topic: Topic,
    rules: ValidationRules,
    validator: Validator,
    context: JudgeContext,
    clock: Option<ClockEvidence>,
    pending_frames: mpsc::Receiver<(PendingFrame, OwnedSemaphorePermit)>,
    reports: mpsc::Sender<ValidationReport>,
    events: Events,
}

impl Judge {
    /// A judge and its queue, of at most `frames` frames and `bytes` bytes.
    pub(super) fn new(
        topic: Topic,
        rules: ValidationRules,
        (frames, bytes): (usize, usize),
        context: JudgeContext,
        reports: mpsc::Sender<ValidationReport>,
        events: Events,
    ) -> (Self, JudgeQueue) {
        let (sender, pending_frames) = mpsc::channel(frames.max(1));
        let units = bytes.div_ceil(PERMIT_BYTES).min(Semaphore::MAX_PERMITS);
        let queue = JudgeQueue { pending_frames: sender, bytes: Arc::new(Semaphore::new(units)) };
        let validator = Validator::new(rules.clone());
        (Self { topic, rules, validator, context, clock: None, pending_frames, reports, events }, queue)
    }

    /// Judges until the queue is closed or the network has ended.
    pub(super) async fn run(mut self) {
        self.context.await_signer(self.topic).await;
        while let Some((pending, _bytes)) = self.pending_frames.recv().await {
            let Some(judgement) = self.judge(&pending).await else {
                tracing::error!(topic = %self.topic, id = %pending.id, "validator panicked on a frame");
                self.frame_counters().rejected.increment();
                if !self
                    .report(&pending, MessageAcceptance::Reject, Some(PeerAction::InvalidFrame), None)
                    .await
                {
                    return;
                }
                continue;
            };
            let is_running = match judgement {
                Judgement::Accept(block) => self.accept(&pending, block).await,
                Judgement::Ignore(refusal) => self.refuse(&pending, RefusalVerdict::Ignore, refusal).await,
                Judgement::Reject(refusal) => self.refuse(&pending, RefusalVerdict::Reject, refusal).await,
            };
            if !is_running {
                return;
            }
        }
    }

    /// `None` if judging panicked. The validator then forgets what it has seen.
    async fn judge(&mut self, pending: &PendingFrame) -> Option<Judgement> {
        let fresh = Validator::new(self.rules.clone());
        let mut validator = core::mem::replace(&mut self.validator, fresh);
        validator.set_settled(Arc::clone(&self.context.settled.borrow()));
        let (topic, frame, id) =
            (self.topic, pending.frame.clone(), GossipMessageId::from_slice(&pending.id.0));
        let (signers, arrived) = (self.context.current_signers(), pending.arrived);
        let judged = tokio::task::spawn_blocking(move || {
            let judgement = validator.judge_message(topic, &frame, id, &signers, arrived);
            (validator, judgement)
        });
        let (validator, judgement) = judged.await.ok()?;
        self.validator = validator;
        Some(judgement)
    }

    fn frame_counters(&self) -> &FrameCounters {
        self.events.counters().on(self.topic)
    }

    async fn accept(&mut self, pending: &PendingFrame, block: ValidBlock) -> bool {
        self.clock = Some(ClockEvidence::of(pending, &block));
        self.context.record_signer(block.signer());
        self.frame_counters().accepted.increment();
        let (accept, useful) = (MessageAcceptance::Accept, Some(PeerAction::Useful));
        let is_running = self.report(pending, accept, useful, Some(block.clone())).await;
        self.events.deliver(NetworkEvent::Block { block, from: pending.source, at: pending.at }).await;
        is_running
    }

    async fn refuse(&self, pending: &PendingFrame, verdict: RefusalVerdict, refusal: Refusal) -> bool {
        let (topic, reason) = (self.topic, &refusal.reason);
        tracing::debug!(%topic, from = %pending.source, verdict = verdict.name(), %reason, "frame refused");
        let (count, acceptance) = match verdict {
            RefusalVerdict::Ignore => (&self.frame_counters().ignored, MessageAcceptance::Ignore),
            RefusalVerdict::Reject => (&self.frame_counters().rejected, MessageAcceptance::Reject),
        };
        count.increment();
        self.events.counters().refused_on(topic).count(reason);
        let action = action_of(verdict, reason, self.clock);
        self.events.offer(NetworkEvent::Refused { topic, verdict, refusal, from: pending.source });
        self.report(pending, acceptance, action, None).await
    }

    async fn report(
        &self,
        pending: &PendingFrame,
        acceptance: MessageAcceptance,
        action: Option<PeerAction>,
        block: Option<ValidBlock>,
    ) -> bool {
        let report =
            ValidationReport { id: pending.id.clone(), source: pending.source, acceptance, action, block };
        self.reports.send(report).await.is_ok()
    }
}

/// A block outside the window may be due to our clock, or to a stalled chain. Its sender is not blamed,
/// unless it is proven too old whatever our clock's error.
fn action_of(verdict: RefusalVerdict, reason: &Reason, clock: Option<ClockEvidence>) -> Option<PeerAction> {
    match (verdict, reason) {
        (RefusalVerdict::Ignore, _) | (_, Reason::FromTheFuture { .. }) => None,
        (_, Reason::TooOld { timestamp, now, max_age_secs }) => clock
            .is_some_and(|clock| clock.proves_too_old(*timestamp, *now, *max_age_secs))
            .then_some(PeerAction::InvalidFrame),
        (RefusalVerdict::Reject, _) => Some(PeerAction::InvalidFrame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{network::counters::Counters, sample};
    use rstest::rstest;

    /// A judge of `blocksv4` whose signers are known, its queue, and what it reports.
    fn judge(topic: Topic) -> (Judge, JudgeQueue, mpsc::Receiver<ValidationReport>, watch::Sender<Signers>) {
        let (signers, context_signers) = watch::channel(Signers::default());
        let context = JudgeContext {
            signers: context_signers,
            last_signer: watch::Sender::new(None),
            settled: watch::Sender::default().subscribe(),
        };
        let (reports, reported) = mpsc::channel(8);
        let (events, _happened) = mpsc::channel(8);
        let events = Events::new(events, Arc::new(Counters::default()));
        let rules = ValidationRules::new(sample::chain());
        let (judge, queue) = Judge::new(topic, rules, (8, 1 << 20), context, reports, events);
        (judge, queue, reported, signers)
    }

    fn pending_frame(topic: Topic, number: u64, timestamp: u64) -> PendingFrame {
        let envelope = sample::envelope(number, |payload| payload.timestamp = UnixSeconds(timestamp));
        PendingFrame {
            id: gossipsub::MessageId::new(&number.to_be_bytes()),
            source: PeerId::random(),
            frame: sample::frame(&envelope, topic),
            at: Instant::now(),
            arrived: sample::NOW,
        }
    }

    /// `accepted`: a block of this age was accepted that many seconds ago.
    #[rstest]
    #[case::the_clock_may_be_wrong(None, 3_600, None)]
    #[case::the_clock_is_right(Some((0, 0)), 3_600, Some(PeerAction::InvalidFrame))]
    #[case::within_the_margin(Some((0, 0)), 660, None)]
    #[case::the_clock_may_be_ahead_by_the_age_of_the_accepted_block(Some((40, 0)), 690, None)]
    #[case::and_by_no_more(Some((40, 0)), 710, Some(PeerAction::InvalidFrame))]
    #[case::the_clock_was_right_long_ago(Some((0, 31)), 3_600, None)]
    #[tokio::test]
    async fn the_sender_of_an_old_block_is_blamed_if_the_clock_is_known_to_be_right(
        #[case] accepted: Option<(u64, u64)>,
        #[case] age: u64,
        #[case] expected: Option<PeerAction>,
    ) {
        let (judge, queue, mut reported, signers) = judge(Topic::BlocksV4);
        signers.send_replace(sample::signers());
        let mut judging = tokio::task::JoinSet::new();
        judging.spawn(judge.run());
        if let Some((age, before)) = accepted {
            let arrived = sample::NOW.0 - before;
            let mut pending = pending_frame(Topic::BlocksV4, 5, arrived - age);
            pending.arrived = UnixSeconds(arrived);
            queue.push(pending).unwrap();
            assert_eq!(reported.recv().await.unwrap().action, Some(PeerAction::Useful));
        }
        queue.push(pending_frame(Topic::BlocksV4, 4, sample::NOW.0 - age)).unwrap();
        let report = reported.recv().await.unwrap();
        assert!(matches!(report.acceptance, MessageAcceptance::Reject));
        assert_eq!(report.action, expected);
    }

    /// `is_stale`: L1, which names the signer, was not read recently.
    #[rstest]
    #[case::l1_was_read(false, MessageAcceptance::Reject, Some(PeerAction::InvalidFrame))]
    #[case::l1_was_not_read_lately(true, MessageAcceptance::Ignore, None)]
    #[tokio::test]
    async fn a_frame_by_another_signer_is_rejected_unless_the_signer_is_in_doubt(
        #[case] is_stale: bool,
        #[case] expected: MessageAcceptance,
        #[case] action: Option<PeerAction>,
    ) {
        let (judge, queue, mut reported, signers) = judge(Topic::BlocksV4);
        signers.send_replace(Signers { is_stale, ..Signers::of(Address::repeat_byte(7)) });
        queue.push(pending_frame(Topic::BlocksV4, 5, sample::NOW.0)).unwrap();
        let mut judging = tokio::task::JoinSet::new();
        judging.spawn(judge.run());
        let report = reported.recv().await.unwrap();
        assert_eq!(format!("{:?}", report.acceptance), format!("{expected:?}"));
        assert_eq!(report.action, action);
    }

    /// `known`: whether a signer becomes known while the frame waits.
    #[rstest]
    #[case::until_the_signer_is_known(true, MessageAcceptance::Accept)]
    #[case::but_not_forever(false, MessageAcceptance::Ignore)]
    #[tokio::test(start_paused = true)]
    async fn a_frame_that_arrives_before_the_first_signer_waits_for_it(
        #[case] known: bool,
        #[case] expected: MessageAcceptance,
    ) {
        let (judge, queue, mut reported, signers) = judge(Topic::BlocksV4);
        queue.push(pending_frame(Topic::BlocksV4, 5, sample::NOW.0)).unwrap();
        let mut judging = tokio::task::JoinSet::new();
        judging.spawn(judge.run());
        tokio::task::yield_now().await;
        assert!(reported.try_recv().is_err());
        if known {
            signers.send_replace(sample::signers());
        }
        let report = reported.recv().await.unwrap();
        assert_eq!(format!("{:?}", report.acceptance), format!("{expected:?}"));
    }
}
