//! [`Intake`]: the task that passes one chain's gossip to the auditor and to the watcher of suspects.

use super::GossipMetrics;
use super::rejections::Rejections;
use super::{GossipHeads, RefusalWatch};
use crate::audit::{AuditorMessage, Heads};
use crate::gossip::Refusals;
use crate::health::{Health, HealthPart};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::{Limit, MeasuredHead};
use crate::monitor::{PollHints, SuspectMessage};
use crate::sources::{GossipedTransactions, SyncStatus};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::{
    ChainId, Clock, NetworkCounters, NetworkEvent, NetworkHandle, PeerId, Reason, Refusal, RefusalVerdict,
    Topic, ValidBlock,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::field::display;
use tracing::{debug, info, warn};

/// How often the network is asked for its peers and counts.
const SURVEY: Duration = Duration::from_secs(5);

/// How many heights are checked for settled blocks at once: twelve hours of one block a second. What is older
/// comes too late by its time.
const SETTLED_AT_ONCE: u32 = 43_200;

/// How long no unsafe block is accepted before those outside the window speak against the clock.
const QUIET: Duration = Duration::from_secs(30);

/// What an intake works with.
#[derive(Debug)]
pub struct IntakeParts {
    /// The chain.
    pub chain_id: ChainId,
    /// The network, asked for its peers and for what it had to drop.
    pub network: NetworkHandle,
    /// What the chain's node says is final.
    pub heads: Heads,
    /// What the network says.
    pub events: mpsc::Receiver<NetworkEvent>,
    /// Where valid blocks go. When it is full the network is held up: it drops what it must, and counts it.
    pub auditor: mpsc::Sender<AuditorMessage>,
    /// Where unsafe blocks go, to be checked before they are executed. When it is full they are counted, not
    /// waited for: what they execute is found from their receipts.
    pub suspects: mpsc::Sender<SuspectMessage>,
    /// Where attested blocks go, to be distinguished from others of their heights. When it is full they are
    /// counted, not waited for: their verdicts do not depend on it.
    pub rivals: mpsc::Sender<ValidBlock>,
    /// Hints for the chain's reader to poll.
    pub hints: PollHints,
    /// Where refused frames are remembered.
    pub refusals: Refusals,
    /// Reports frames that are refused in a row.
    pub refused: RefusalWatch,
    /// The time that refusals are remembered with.
    pub clock: Arc<dyn Clock>,
    /// Where it is reported that this machine's clock is in doubt.
    pub health: Health,
    /// The highest block of each chain.
    pub gossiped: GossipHeads,
    /// Where transactions of unknown types are kept, for anyone who reads their blocks.
    pub transactions: GossipedTransactions,
    /// What is counted.
    pub metrics: GossipMetrics,
    /// Which blocks are upheld.
    pub ledger: Ledger,
}

/// Hands one chain's gossip to the auditor.
#[derive(Debug)]
pub struct Intake {
    parts: IntakeParts,
    /// Which rejected attestations are named in the log.
    rejections: Rejections,
    /// The lowest height that is checked for settled blocks.
    unsettled: u64,
    /// When an unsafe block was last accepted.
    last_block: Option<Instant>,
}

impl Intake {
    /// An intake that has received nothing yet.
    pub fn new(parts: IntakeParts) -> Self {
        Self { parts, rejections: Rejections::default(), unsettled: 0, last_block: None }
    }

    /// Hands on what comes in until cancelled.
    ///
    /// # Errors
    /// If the ledger fails.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        let mut survey = tokio::time::interval(SURVEY);
        let mut known = self.parts.network.counters();
        loop {
            let event = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                event = self.parts.events.recv() => event,
                _ = survey.tick() => {
                    self.settle().await?;
                    self.measure(&mut known).await;
                    self.parts.refused.check(Instant::now());
                    continue;
                }
            };
            let Some(event) = event else { return Ok(()) };
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = self.handle(event) => {}
            }
        }
    }

    /// Tells the network which attested blocks are upheld and final. Others are accepted, however late they
    /// arrive: a node may call final what was never judged here.
    async fn settle(&mut self) -> Result<(), LedgerError> {
        let chain_id = self.parts.chain_id;
        let finalized = self.parts.heads.get(chain_id).and_then(|status| status.finalized_l2);
        let vouched = self.parts.ledger.vouched(chain_id).await?;
        let Some((finalized, vouched)) = finalized.zip(vouched) else { return Ok(()) };
        let up_to = finalized.number.min(vouched.number);
        let from = self.unsettled.max(up_to.saturating_sub(u64::from(SETTLED_AT_ONCE)));
        if from > up_to {
            return Ok(());
        }
        let blocks = self.parts.ledger.upheld_attested(chain_id, from..=up_to, SETTLED_AT_ONCE).await?;
        self.parts.network.mark_settled(blocks.iter().map(|block| (block.number, block.hash)));
        self.unsettled = up_to.saturating_add(1);
        self.parts.metrics.shared().head(chain_id, MeasuredHead::Settled, up_to);
        Ok(())
    }

    /// Measures what the network's events do not contain.
    async fn measure(&self, known: &mut NetworkCounters) {
        if let Ok(peers) = self.parts.network.peers().await {
            self.parts.metrics.peers(self.parts.chain_id, peers.len());
        }
        let now = self.parts.network.counters();
        self.parts.metrics.network_counted(self.parts.chain_id, &now.since(known));
        *known = now;
    }

    async fn handle(&mut self, event: NetworkEvent) {
        let chain_id = self.parts.chain_id;
        match event {
            NetworkEvent::Block { block, from, at } => {
                debug!(%chain_id, topic = %block.topic(), number = block.number(), hash = %block.hash(), %from, "block received");
                self.parts.refused.accepted(block.topic(), block.signer());
                self.parts.gossiped.note(chain_id, block.number());
                self.parts.transactions.note(&block.payload().transactions);
                if block.topic().is_cross_safe() && knows_more(self.parts.heads.get(chain_id), block.number())
                {
                    self.parts.heads.request_poll(chain_id);
                }
                if !block.topic().is_cross_safe() {
                    self.last_block = Some(Instant::now());
                    self.trust_clock();
                }
                self.inspect(&block, at.into());
                self.compare(&block);
                if self.parts.auditor.capacity() == 0 {
                    self.parts.metrics.shared().limit_reached(Limit::AuditorInbox);
                }
                let message = AuditorMessage::Gossip { block: Box::new(block), at: at.into() };
                if self.parts.auditor.send(message).await.is_err() {
                    debug!(%chain_id, "auditor has stopped");
                }
            }
            NetworkEvent::Refused { topic, verdict, refusal, from } => {
                debug!(%chain_id, %topic, verdict = verdict.name(), reason = %refusal.reason, %from, "refused");
                self.parts.refused.refused(topic, &refusal.reason, from, Instant::now());
                self.parts.refusals.note(chain_id, topic, verdict, &refusal, from, self.parts.clock.now());
                if topic.is_cross_safe() && verdict == RefusalVerdict::Reject {
                    self.name_rejected(&refusal, from);
                }
                if let Some(doubt) =
                    clock_doubt(topic, verdict, &refusal.reason, self.last_block.map(|at| at.elapsed()))
                {
                    self.doubt_clock(&doubt);
                }
            }
            NetworkEvent::Filled { envelope, from } => {
                let (number, hash) = (envelope.payload.number, envelope.payload.block_hash);
                debug!(%chain_id, number, %hash, %from, "missed block filled in");
                self.parts.hints.wake(chain_id);
            }
            // At a level that is off by default: strangers come and go as they like.
            NetworkEvent::PeerConnected { peer_id, addr } => {
                debug!(%chain_id, %peer_id, %addr, "peer connected");
            }
            NetworkEvent::PeerDisconnected { peer_id } => {
                debug!(%chain_id, %peer_id, "peer disconnected");
            }
        }
    }

    /// A rejected attestation is worth a line: some peer forwards what it should not, or is judged wrongly
    /// here.
    fn name_rejected(&mut self, refusal: &Refusal, peer: PeerId) {
        let Some(unnamed) = self.rejections.note(Instant::now()) else { return };
        let (chain_id, reason, detail) = (self.parts.chain_id, refusal.reason.code(), &refusal.reason);
        let signer = refusal.signer.map(display);
        let claimed = refusal.claimed.as_deref();
        let (number, hash) = (claimed.map(|it| it.number), claimed.map(|it| display(it.hash)));
        warn!(%chain_id, %peer, reason, %detail, signer, number, hash, unnamed, "attestation rejected");
    }

    const fn clock_part(&self) -> HealthPart {
        HealthPart::Clock(self.parts.chain_id)
    }

    fn trust_clock(&self) {
        // Before the first doubt there is nothing to report.
        if let Some(outage) =
            self.parts.health.clear(&self.clock_part()).filter(|outage| !outage.lasted.is_zero())
        {
            let (lasted_s, repeats) = (outage.seconds(), outage.repeats);
            info!(chain_id = %self.parts.chain_id, lasted_s, repeats, "sequencer's blocks are within the time window again");
        }
    }

    fn doubt_clock(&self, doubt: &str) {
        if self.parts.health.set_not_ready(&self.clock_part(), doubt.to_owned()) {
            warn!(chain_id = %self.parts.chain_id, doubt, "sequencer's blocks are outside the time window");
        }
    }

    /// Has an attested block compared with others of its height. Each becomes a case: at most one is upheld.
    fn compare(&self, block: &ValidBlock) {
        if block.topic().is_cross_safe() && self.parts.rivals.try_send(block.clone()).is_err() {
            self.parts.metrics.shared().limit_reached(Limit::RivalInbox);
        }
    }

    /// Has an unsafe block looked at, and the chain read on.
    fn inspect(&self, block: &ValidBlock, at: Instant) {
        if block.topic().is_cross_safe() {
            return;
        }
        let position = BlockNumHash { number: block.number(), hash: block.hash() };
        self.parts.hints.announce(self.parts.chain_id, position);
        if self.parts.suspects.try_send(SuspectMessage::Gossip { block: block.clone(), at }).is_err() {
            self.parts.metrics.shared().limit_reached(Limit::SuspectInbox);
        }
    }
}

/// Whether a chain's node is likely to have a higher safe head than it named last: the sequencer has attested
/// a block above it.
fn knows_more(last: Option<SyncStatus>, attested: u64) -> bool {
    last.and_then(|status| status.safe_l2).is_some_and(|safe| safe.number < attested)
}

/// What is wrong if the validator has begun to doubt the clock: it ignores what it would reject. Anybody can
/// send old blocks again, so while others are accepted nothing is. The text says nothing of the single block,
/// so that it is logged once.
fn clock_doubt(
    topic: Topic,
    verdict: RefusalVerdict,
    reason: &Reason,
    since_block: Option<Duration>,
) -> Option<String> {
    let is_quiet = since_block.is_none_or(|since| since > QUIET);
    if topic.is_cross_safe() || verdict != RefusalVerdict::Ignore || !is_quiet {
        return None;
    }
    const CHECK: &str = "check this machine's clock";
    match reason {
        Reason::TooOld { max_age_secs, .. } => Some(format!(
            "signed blocks keep arriving more than {max_age_secs} s late: {CHECK}, or the chain is lagging"
        )),
        Reason::FromTheFuture { max_ahead_secs, .. } => {
            Some(format!("signed blocks keep arriving more than {max_ahead_secs} s early: {CHECK}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use crosscheck_core::heads::L2BlockRef;
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    #[rstest]
    #[case::from_the_start(Topic::BlocksV4, RefusalVerdict::Ignore, None, true)]
    #[case::for_a_while(Topic::BlocksV4, RefusalVerdict::Ignore, Some(31), true)]
    #[case::other_peers_are_accepted(Topic::BlocksV4, RefusalVerdict::Ignore, Some(30), false)]
    #[case::one_late_block(Topic::BlocksV4, RefusalVerdict::Reject, None, false)]
    #[case::late_attestation(Topic::CrossSafeBlocksV1, RefusalVerdict::Ignore, None, false)]
    fn a_wrong_clock_is_detected(
        #[case] topic: Topic,
        #[case] verdict: RefusalVerdict,
        #[case] since: Option<u64>,
        #[case] doubted: bool,
    ) {
        let since = since.map(Duration::from_secs);
        let old = Reason::TooOld { timestamp: UnixSeconds(1), now: UnixSeconds(200), max_age_secs: 60 };
        let ahead =
            Reason::FromTheFuture { timestamp: UnixSeconds(200), now: UnixSeconds(1), max_ahead_secs: 5 };
        for reason in [old, ahead] {
            assert_eq!(clock_doubt(topic, verdict, &reason, since).is_some(), doubted);
        }
    }

    #[rstest]
    #[case::above(Some(6), 7, true)]
    #[case::at_it(Some(7), 7, false)]
    #[case::below(Some(8), 7, false)]
    #[case::no_heads_are_known(None, 7, false)]
    fn an_attestation_above_the_safe_head_prompts_a_poll(
        #[case] safe: Option<u64>,
        #[case] attested: u64,
        #[case] expected: bool,
    ) {
        let head = |number| L2BlockRef::new(number, B256::repeat_byte(1), UnixSeconds(number));
        let status = safe.map(|number| SyncStatus { safe_l2: head(number), ..SyncStatus::default() });
        assert_eq!(knows_more(status, attested), expected);
    }

    #[test]
    fn other_refusals_do_not_make_the_clock_suspect() {
        let signature = Reason::BadSignature;
        assert_eq!(clock_doubt(Topic::BlocksV4, RefusalVerdict::Reject, &signature, None), None);
    }
}
