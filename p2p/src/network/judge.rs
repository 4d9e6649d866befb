//! [`Judge`]: the task that judges one topic's frames, in the order of their arrival.
//!
//! Hashing an 8 MiB block takes longer than a swarm may be kept waiting, so frames are judged on a blocking
//! thread. The queue in front is bounded in frames and in bytes; the task, not the swarm, waits while nobody
//! takes its blocks.

use super::{
    event::{Events, NetworkEvent},
    frame_counts::LiveFrames,
    scoring::PeerAction,
};
use crate::{
    Judgement, MessageId, Reason, Refusal, RefusalVerdict, SettledBlocks, Signers, Topic, UnixSeconds,
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

/// Bytes are counted in units that 32 bits hold any queue's size in.
const UNIT_BYTES: usize = 1024;

/// How long the first frames wait for somebody who may sign. At a start, who that is has yet to be read from L1.
const SIGNER_AWAITED: Duration = Duration::from_secs(5);

/// How long the time of an accepted block tells how far ahead our clock may be, seconds.
const CLOCK_KNOWN: u64 = 30;
/// How much older than its window a block must be for its sender to be blamed, seconds: a relay's clock may be wrong, too.
const OLD: u64 = 10 * 60;

/// The last accepted block, by which our clock is known: nobody signs a block of the future for long, so the clock is
/// ahead by no more than the block seemed old.
#[derive(Clone, Copy, Debug)]
struct ClockProof {
    arrived: UnixSeconds,
    age: u64,
}

impl ClockProof {
    fn of(job: &Job, block: &ValidBlock) -> Self {
        Self { arrived: job.arrived, age: job.arrived.0.saturating_sub(block.timestamp().0) }
    }

    /// Whether a block was old when it arrived, though our clock were as far ahead as it may be.
    const fn shows_old(&self, timestamp: UnixSeconds, now: UnixSeconds, past: u64) -> bool {
        let allowed = past.saturating_add(OLD).saturating_add(self.age);
        now.0.saturating_sub(self.arrived.0) <= CLOCK_KNOWN && now.0.saturating_sub(timestamp.0) > allowed
    }
}

/// A frame to be judged.
#[derive(Debug)]
pub(super) struct Job {
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
pub(super) struct Report {
    /// The message.
    pub(super) id: gossipsub::MessageId,
    /// Who sent it.
    pub(super) source: PeerId,
    /// What becomes of it.
    pub(super) acceptance: MessageAcceptance,
    /// What it says of the sender.
    pub(super) action: Option<PeerAction>,
    /// The block, if it is one.
    pub(super) block: Option<ValidBlock>,
}

impl Report {
    /// A frame that was not judged, which is nobody's fault.
    pub(super) const fn unjudged(id: gossipsub::MessageId, source: PeerId) -> Self {
        Self { id, source, acceptance: MessageAcceptance::Ignore, action: None, block: None }
    }
}

/// The front of a judge's queue.
#[derive(Debug)]
pub(super) struct JudgeQueue {
    jobs: mpsc::Sender<(Job, OwnedSemaphorePermit)>,
    bytes: Arc<Semaphore>,
}

impl JudgeQueue {
    /// Queues a job, or gives it back when the queue is full.
    pub(super) fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let units = u32::try_from(job.frame.len().div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.bytes).try_acquire_many_owned(units) else {
            return Err(Box::new(job));
        };
        self.jobs.try_send((job, permit)).map_err(|error| Box::new(error.into_inner().0))
    }
}

/// What a judge goes by and does not find out itself. Shared by the judges of a chain.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Who may sign.
    pub(super) signers: watch::Receiver<Signers>,
    /// The last current signer that a block was accepted from, on any topic: it ends the grace of the one before.
    pub(super) heard: watch::Sender<Option<Address>>,
    /// The blocks whose attestations come too late.
    pub(super) settled: watch::Receiver<Arc<SettledBlocks>>,
}

impl Standing {
    /// Who may sign now.
    fn signers(&self) -> Signers {
        let signers = *self.signers.borrow();
        self.heard.borrow().map_or(signers, |heard| signers.heard(heard))
    }

    /// Waits until somebody may sign on a topic, but not for long.
    async fn await_signer(&self, topic: Topic) {
        let mut signers = self.signers.clone();
        let known = signers.wait_for(|signers| signers.on(topic).is_some());
        // Without one frames are judged all the same: they are ignored.
        let _waited = tokio::time::timeout(SIGNER_AWAITED, known).await;
    }

    /// A block by this signer was accepted.
    fn note(&self, signer: Address) {
        if self.signers.borrow().unsafe_block_signer == Some(signer) {
            self.heard.send_replace(Some(signer));
        }
    }
}

/// The task's state.
#[derive(Debug)]
pub(super) struct Judge {
    topic: Topic,
    rules: ValidationRules,
    validator: Validator,
    standing: Standing,
    clock: Option<ClockProof>,
    jobs: mpsc::Receiver<(Job, OwnedSemaphorePermit)>,
    reports: mpsc::Sender<Report>,
    events: Events,
}

impl Judge {
    /// A judge and its queue, of at most `frames` frames and `bytes` bytes.
    pub(super) fn new(
        topic: Topic,
        rules: ValidationRules,
        (frames, bytes): (usize, usize),
        standing: Standing,
        reports: mpsc::Sender<Report>,
        events: Events,
    ) -> (Self, JudgeQueue) {
        let (sender, jobs) = mpsc::channel(frames.max(1));
        let units = bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        let queue = JudgeQueue { jobs: sender, bytes: Arc::new(Semaphore::new(units)) };
        let validator = Validator::new(rules.clone());
        (Self { topic, rules, validator, standing, clock: None, jobs, reports, events }, queue)
    }

    /// Judges until the queue or the network is gone.
    pub(super) async fn run(mut self) {
        self.standing.await_signer(self.topic).await;
        while let Some((job, _bytes)) = self.jobs.recv().await {
            let Some(judgement) = self.judge(&job).await else {
                tracing::error!(topic = %self.topic, id = %job.id, "validator panicked on a frame");
                self.count().rejected.increment();
                if !self.report(&job, MessageAcceptance::Reject, Some(PeerAction::InvalidFrame), None).await {
                    return;
                }
                continue;
            };
            let going_on = match judgement {
                Judgement::Accept(block) => self.accept(&job, block).await,
                Judgement::Ignore(refusal) => self.refuse(&job, RefusalVerdict::Ignore, refusal).await,
                Judgement::Reject(refusal) => self.refuse(&job, RefusalVerdict::Reject, refusal).await,
            };
            if !going_on {
                return;
            }
        }
    }

    /// `None` if judging panicked; the validator then starts afresh.
    async fn judge(&mut self, job: &Job) -> Option<Judgement> {
        let fresh = Validator::new(self.rules.clone());
        let mut validator = core::mem::replace(&mut self.validator, fresh);
        validator.settle(Arc::clone(&self.standing.settled.borrow()));
        let (topic, frame, id) = (self.topic, job.frame.clone(), MessageId::from_slice(&job.id.0));
        let (signers, arrived) = (self.standing.signers(), job.arrived);
        let judged = tokio::task::spawn_blocking(move || {
            let judgement = validator.judge_message(topic, &frame, id, &signers, arrived);
            (validator, judgement)
        });
        let (validator, judgement) = judged.await.ok()?;
        self.validator = validator;
        Some(judgement)
    }

    fn count(&self) -> &LiveFrames {
        self.events.counters().on(self.topic)
    }

    async fn accept(&mut self, job: &Job, block: ValidBlock) -> bool {
        self.clock = Some(ClockProof::of(job, &block));
        self.standing.note(block.signer());
        self.count().accepted.increment();
        let (accept, good) = (MessageAcceptance::Accept, Some(PeerAction::Useful));
        let going_on = self.report(job, accept, good, Some(block.clone())).await;
        self.events.deliver(NetworkEvent::Block { block, from: job.source, at: job.at }).await;
        going_on
    }

    async fn refuse(&self, job: &Job, verdict: RefusalVerdict, refusal: Refusal) -> bool {
        let (topic, reason) = (self.topic, &refusal.reason);
        tracing::debug!(%topic, from = %job.source, verdict = verdict.name(), %reason, "frame refused");
        let (count, acceptance) = match verdict {
            RefusalVerdict::Ignore => (&self.count().ignored, MessageAcceptance::Ignore),
            RefusalVerdict::Reject => (&self.count().rejected, MessageAcceptance::Reject),
        };
        count.increment();
        self.events.counters().refused_on(topic).count(reason);
        let action = action_of(verdict, reason, self.clock);
        self.events.offer(NetworkEvent::Refused { topic, verdict, refusal, from: job.source });
        self.report(job, acceptance, action, None).await
    }

    async fn report(
        &self,
        job: &Job,
        acceptance: MessageAcceptance,
        action: Option<PeerAction>,
        block: Option<ValidBlock>,
    ) -> bool {
        let report = Report { id: job.id.clone(), source: job.source, acceptance, action, block };
        self.reports.send(report).await.is_ok()
    }
}

/// A block out of its window may be our clock's fault, or that of a chain that is stalled: nobody is blamed, unless it
/// is old beyond that by what is known of our clock.
fn action_of(verdict: RefusalVerdict, reason: &Reason, clock: Option<ClockProof>) -> Option<PeerAction> {
    match (verdict, reason) {
        (RefusalVerdict::Ignore, _) | (_, Reason::FromTheFuture { .. }) => None,
        (_, Reason::TooOld { timestamp, now, past }) => clock
            .is_some_and(|clock| clock.shows_old(*timestamp, *now, *past))
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
    fn judge(topic: Topic) -> (Judge, JudgeQueue, mpsc::Receiver<Report>, watch::Sender<Signers>) {
        let (signers, standing_signers) = watch::channel(Signers::default());
        let standing = Standing {
            signers: standing_signers,
            heard: watch::Sender::new(None),
            settled: watch::Sender::default().subscribe(),
        };
        let (reports, reported) = mpsc::channel(8);
        let (events, _happened) = mpsc::channel(8);
        let events = Events::new(events, Arc::new(Counters::default()));
        let rules = ValidationRules::new(sample::chain());
        let (judge, queue) = Judge::new(topic, rules, (8, 1 << 20), standing, reports, events);
        (judge, queue, reported, signers)
    }

    fn job(topic: Topic, number: u64, timestamp: u64) -> Job {
        let envelope = sample::envelope(number, |payload| payload.timestamp = UnixSeconds(timestamp));
        Job {
            id: gossipsub::MessageId::new(&number.to_be_bytes()),
            source: PeerId::random(),
            frame: sample::frame(&envelope, topic),
            at: Instant::now(),
            arrived: sample::NOW,
        }
    }

    /// Who is blamed for an old block, after one of this age, if any, was accepted `before` seconds ago.
    #[rstest]
    #[case::the_clock_may_be_wrong(None, 3_600, None)]
    #[case::the_clock_is_right(Some((0, 0)), 3_600, Some(PeerAction::InvalidFrame))]
    #[case::a_little_late(Some((0, 0)), 660, None)]
    #[case::the_clock_may_be_as_fast_as_the_accepted_block_is_old(Some((40, 0)), 690, None)]
    #[case::and_no_faster(Some((40, 0)), 710, Some(PeerAction::InvalidFrame))]
    #[case::the_clock_was_right_long_ago(Some((0, 31)), 3_600, None)]
    #[tokio::test]
    async fn who_sends_an_old_block(
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
            let mut job = job(Topic::BlocksV4, 5, arrived - age);
            job.arrived = UnixSeconds(arrived);
            queue.push(job).unwrap();
            assert_eq!(reported.recv().await.unwrap().action, Some(PeerAction::Useful));
        }
        queue.push(job(Topic::BlocksV4, 4, sample::NOW.0 - age)).unwrap();
        let report = reported.recv().await.unwrap();
        assert!(matches!(report.acceptance, MessageAcceptance::Reject));
        assert_eq!(report.action, expected);
    }

    /// What becomes of a frame by another signer than the known one, and of anyone who sends it. `is_stale`: L1, which names the
    /// signer, was not read lately.
    #[rstest]
    #[case::l1_was_read(false, MessageAcceptance::Reject, Some(PeerAction::InvalidFrame))]
    #[case::l1_was_not_read_lately(true, MessageAcceptance::Ignore, None)]
    #[tokio::test]
    async fn a_frame_by_another_signer(
        #[case] is_stale: bool,
        #[case] expected: MessageAcceptance,
        #[case] action: Option<PeerAction>,
    ) {
        let (judge, queue, mut reported, signers) = judge(Topic::BlocksV4);
        signers.send_replace(Signers { is_stale, ..Signers::of(Address::repeat_byte(7)) });
        queue.push(job(Topic::BlocksV4, 5, sample::NOW.0)).unwrap();
        let mut judging = tokio::task::JoinSet::new();
        judging.spawn(judge.run());
        let report = reported.recv().await.unwrap();
        assert_eq!(format!("{:?}", report.acceptance), format!("{expected:?}"));
        assert_eq!(report.action, action);
    }

    /// What becomes of a frame that comes while nobody may sign yet. `known`: whether a signer is known later.
    #[rstest]
    #[case::it_waits_for_the_signer(true, MessageAcceptance::Accept)]
    #[case::it_does_not_wait_for_ever(false, MessageAcceptance::Ignore)]
    #[tokio::test(start_paused = true)]
    async fn a_frame_before_the_first_signer(#[case] known: bool, #[case] expected: MessageAcceptance) {
        let (judge, queue, mut reported, signers) = judge(Topic::BlocksV4);
        queue.push(job(Topic::BlocksV4, 5, sample::NOW.0)).unwrap();
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
