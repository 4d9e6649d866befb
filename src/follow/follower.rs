//! [`Follower`]: the task that keeps one chain's served status current.
//!
//! It works when the upstream says something new, when a verdict falls, and once per interval: that finds an
//! operator's resolution, which another process writes. It never polls a node that its head watcher polls.

use super::FollowMetrics;
use super::error::FollowError;
use super::limit_watch::{LimitWatch, Lowered};
use super::own_claims::AnsweringNode;
use super::verified::{Ceiling, replaced_by};
use super::{
    CanonicalHashes, CrossChainLimits, Draft, Facts, Genesis, Keep, KeepFacts, L2Ref, Lagoon, Reading,
    Served, Upstream, UpstreamStatus, Vouched,
};
use crate::audit::{AuditorMessage, Heads};
use crate::config::FollowMode;
use crate::health::{Health, HealthPart};
use crate::invalid_blocks::InvalidBlocks;
use crate::ledger::{Hold, Ledger, LedgerError, VouchedHead};
use crate::shared_tracker::SharedTracker;
use crate::sources::{EndpointNames, ExecutionClient, RollupNodes, StatusDocument};
use alloy::eips::BlockNumHash;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// The shortest pause between two rounds, however much news there is.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause after nodes that did not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the last status may stay for another reason than a hold before that blocks readiness.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a follower needs.
#[derive(Debug)]
pub struct FollowerParts {
    /// The chain.
    pub chain_id: ChainId,
    /// What is served.
    pub mode: FollowMode,
    /// Where the vouched head is, and what stops it.
    pub ledger: Ledger,
    /// The chain's execution clients.
    pub execution: ExecutionClient,
    /// The chain's own rollup nodes: their configuration is passed on.
    pub sibling: RollupNodes,
    /// Whose status is served on.
    pub upstream: Upstream,
    /// Where claims go.
    pub auditor: mpsc::Sender<AuditorMessage>,
    /// The heads of all chains.
    pub heads: Heads,
    /// Which chains each chain depends on.
    pub set: DependencySet,
    /// Up to which block the messages of each chain are valid.
    pub tracker: SharedTracker,
    /// Whether the served head waits for the chains that this one depends on: nobody else has done that.
    pub waits_for_others: bool,
    /// For how long the safe and the finalized head of each chain may be where they are before it is reported
    /// that one waits for them.
    pub safe_stalls: BTreeMap<ChainId, Duration>,
    /// Seconds between two blocks of the chain.
    pub block_time: u64,
    /// How long a round may be put off.
    pub interval: Duration,
    /// The blocks that no follower may be led onto.
    pub invalid: InvalidBlocks,
    /// Where the status is left.
    pub served: Served,
    /// What endpoints are called there.
    pub names: EndpointNames,
    /// Where readiness is reported.
    pub health: Health,
    /// What is measured.
    pub metrics: FollowMetrics,
}

/// Keeps one chain's served status current.
#[derive(Debug)]
pub struct Follower {
    pub(super) parts: FollowerParts,
    pub(super) chain: Option<Followed>,
    vouched: Option<L2Ref>,
    hold: Option<Hold>,
    seen: Option<Seen>,
    /// How often the vouched head had left a branch when the last status was made.
    retractions: u64,
    pub(super) kept_since: Option<Instant>,
    /// Whether it was reported that the safe head stays for long.
    is_reported: bool,
    /// What lowers the served heads, as far as is known.
    lowered: Lowered,
    limit_watch: LimitWatch,
}

/// What the chain's rollup configuration says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    pub(super) genesis: Genesis,
    pub(super) lagoon: Lagoon,
}

/// What the status served now was made from.
#[derive(Debug, PartialEq)]
struct Seen {
    document: StatusDocument,
    head: VouchedHead,
    hold: Option<Hold>,
    limits: Result<CrossChainLimits, Keep>,
}

impl Follower {
    /// A follower that has served nothing yet.
    pub fn new(parts: FollowerParts) -> Self {
        Self {
            parts,
            chain: None,
            vouched: None,
            hold: None,
            seen: None,
            retractions: 0,
            kept_since: None,
            is_reported: false,
            lowered: Lowered::default(),
            limit_watch: LimitWatch::default(),
        }
    }

    /// Follows until cancelled.
    ///
    /// # Errors
    /// If the ledger fails.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), LedgerError> {
        tokio::select! {
            () = cancel.cancelled() => Ok(()),
            ended = self.follow() => ended.map(|never| match never {}),
        }
    }

    async fn follow(mut self) -> Result<Infallible, LedgerError> {
        let mut changes = self.parts.ledger.changes();
        let mut proofs = self.parts.invalid.changes(self.parts.chain_id);
        let interval = self.parts.interval;
        let mut after_failure = interval;
        loop {
            changes.mark_unchanged();
            proofs.mark_unchanged();
            let has_failed = self.round().await?;
            let shortest = if has_failed {
                after_failure = after_failure.saturating_mul(2).min(LONGEST_PAUSE).max(interval);
                after_failure
            } else {
                after_failure = interval;
                SHORTEST_PAUSE.min(interval)
            };
            tokio::time::sleep(shortest).await;
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                _ = changes.changed() => {}
                () = proofs.changed() => {}
                () = self.parts.upstream.changed() => {}
            }
        }
    }

    /// One round. `true`: a node did not answer.
    async fn round(&mut self) -> Result<bool, LedgerError> {
        let chain_id = self.parts.chain_id;
        let head = self.parts.ledger.vouched_head(chain_id).await?;
        let hold = self.parts.ledger.hold(chain_id).await?;
        self.note_hold(hold);
        let mut kept = None;
        let outcome = self.refresh(head, &mut kept).await;
        if let Some(age) = self.parts.upstream.age() {
            self.parts.metrics.follow_upstream_age(chain_id, age);
        }
        let has_failed = outcome.as_ref().is_err_and(FollowError::is_source_failure);
        match outcome {
            Ok(()) => self.note_current(),
            Err(error) => self.note_kept(&error, kept),
        }
        let FollowerParts { safe_stalls, health, .. } = &self.parts;
        self.limit_watch.check(chain_id, self.lowered, safe_stalls, health);
        self.publish();
        Ok(has_failed)
    }

    /// Makes the next status. `kept`: what is served instead if its safe head must stay, and the rest is
    /// known.
    async fn refresh(
        &mut self,
        head: Option<VouchedHead>,
        kept: &mut Option<Draft>,
    ) -> Result<(), FollowError> {
        let Followed { genesis, lagoon } = self.followed().await?;
        let answer = self.parts.upstream.answer().await?.ok_or_else(|| self.unanswered())?;
        let head = head.ok_or(FollowError::NothingVouched)?;
        let answering_node = AnsweringNode { place: answer.place, safe_means: answer.safe_means };
        let limits = self.limits().await?;
        let seen = Seen { document: answer.document, head, hold: self.hold.clone(), limits };
        let invalid = self.parts.invalid.above(self.parts.chain_id, 0);
        // Whether the chain still has such a block shows in no status.
        if invalid.is_empty() && self.seen.as_ref() == Some(&seen) {
            return Ok(());
        }
        // What was made from other facts is no longer known to be current.
        self.seen = None;
        let upstream = UpstreamStatus::read(&seen.document)?;
        let claim = self.claim(&upstream, answering_node).await;
        let vouched = self.vouched(head, &genesis).await;
        let ceiling = match vouched {
            Ok(vouched) => self.ceiling(vouched, head.replaces, &seen.limits, &genesis).await,
            Err(error) => Err(error),
        };
        if let Ok(ceiling) = &ceiling {
            let finalized = upstream.finalized_l2.map(|head| head.number);
            self.lowered = ceiling.lowered(head.position.number, finalized, &seen.limits);
        }
        let safe = ceiling.as_ref().ok().map(|ceiling| ceiling.safe);
        let top = safe.map_or(head.position.number, |safe| safe.number);
        let last = self.parts.served.status(self.parts.chain_id);
        let last_safe = last.as_ref().map(|last| last.safe_l2);
        let canonical = self.canonical(&upstream, top, last_safe, &invalid).await;
        let (canonical, unread) = match canonical {
            Ok(canonical) => (canonical, None),
            Err(error) => (CanonicalHashes::default(), Some(error)),
        };
        let reading = Reading { upstream: &upstream, canonical: &canonical, invalid: &invalid, lagoon };
        let hold = self.hold.as_ref();
        let replaced = head.replaces.map(|hash| BlockNumHash { number: head.position.number, hash });
        let keep = |last| Draft::kept(&KeepFacts { last, reading, vouched: safe, replaced, hold });
        *kept = last.as_ref().map(keep);
        let Ceiling { safe, final_limit } = ceiling?;
        claim?;
        let vouched = Vouched { block: safe, replaces: replaced_by(head, &safe), final_limit };
        if let Some(error) = unread {
            return Err(error);
        }
        // What was served of a branch that the head has left binds no follower: L1 took followers off it,
        // too.
        let bound = last.as_ref().filter(|_| self.retractions == head.retractions);
        let facts = Facts { mode: self.parts.mode, reading, vouched: &vouched, hold, last: bound };
        let next = Draft::next(&facts)?;
        let passed = next.passed();
        self.parts.served.set(self.parts.chain_id, next);
        // Not before it is served: what was served until now may name what is forgotten here.
        if let Some(safe) = passed {
            self.parts.invalid.pass(self.parts.chain_id, safe);
        }
        self.retractions = head.retractions;
        self.seen = Some(seen);
        Ok(())
    }

    fn unanswered(&self) -> FollowError {
        FollowError::unanswered(&self.parts.upstream, &self.parts.health, self.parts.chain_id)
    }

    /// What the configuration says that is passed on. Asked for once.
    async fn followed(&mut self) -> Result<Followed, FollowError> {
        if let Some(chain) = self.chain {
            return Ok(chain);
        }
        let config = self.parts.sibling.rollup_config_document().await?;
        let unreadable = |error: serde_json::Error| FollowError::Genesis { reason: error.to_string() };
        let genesis = Genesis::of_rollup_config(config.get()).map_err(unreadable)?;
        let lagoon = Lagoon::of_rollup_config(config.get()).map_err(unreadable)?;
        self.parts.served.set_rollup_config(self.parts.chain_id, config);
        Ok(*self.chain.insert(Followed { genesis, lagoon }))
    }

    /// The vouched block in full, from the execution client: a block that it lacks is not served.
    async fn vouched(&mut self, head: VouchedHead, genesis: &Genesis) -> Result<L2Ref, FollowError> {
        let (number, hash) = (head.position.number, head.position.hash);
        if let Some(known) = self.vouched.filter(|known| known.hash == hash) {
            return Ok(known);
        }
        // It was audited, so it may be in memory though the client has lost it since.
        let is_there = self.parts.execution.has_block(hash).await?;
        let block = if is_there { self.parts.execution.block_by_hash(hash).await? } else { None };
        let block = block.ok_or(FollowError::VouchedMissing { number, hash })?;
        Ok(*self.vouched.insert(L2Ref::of_block(&block, genesis)?))
    }

    async fn canonical(
        &self,
        upstream: &UpstreamStatus,
        vouched: u64,
        last_safe: Option<L2Ref>,
        invalid: &[BlockNumHash],
    ) -> Result<CanonicalHashes, FollowError> {
        let mut canonical = CanonicalHashes::default();
        // From the lowest up: a block that is found canonical above another has it as an ancestor.
        for number in Reading::heights(upstream, vouched, last_safe, invalid) {
            if let Some(hash) = self.parts.execution.canonical_hash(number).await? {
                canonical.insert(number, hash);
            }
        }
        Ok(canonical)
    }

    /// Measures what is served.
    fn publish(&self) {
        let chain_id = self.parts.chain_id;
        let Some(status) = self.parts.served.status(chain_id) else { return };
        for (level, head) in [
            (SafetyLevel::Unsafe, status.unsafe_l2),
            (SafetyLevel::LocalSafe, status.local_safe_l2),
            (SafetyLevel::Safe, status.safe_l2),
            (SafetyLevel::Finalized, status.finalized_l2),
        ] {
            self.parts.metrics.follow_head(chain_id, level, head.number);
        }
    }

    fn note_hold(&mut self, hold: Option<Hold>) {
        let chain_id = self.parts.chain_id;
        self.parts.metrics.follow_held(chain_id, hold.is_some());
        if hold == self.hold {
            return;
        }
        match &hold {
            Some(Hold { number, hash, verdict, reason, detail, attributable, ancestor_of, claimants }) => {
                let (reason, detail) =
                    (reason.as_deref().unwrap_or_default(), detail.as_deref().unwrap_or_default());
                let ancestor_of = ancestor_of.map(tracing::field::display);
                let claimants = claimants.join(", ");
                warn!(%chain_id, number, %hash, verdict, reason, detail, attributable, ancestor_of, claimants,
                      "served head is held by an invalid block; it moves after a valid replacement or `crosscheck resolve`");
            }
            None => info!(%chain_id, "served head released"),
        }
        self.hold = hold;
    }

    fn note_current(&mut self) {
        let chain_id = self.parts.chain_id;
        let kept_s = self.kept_since.take().map_or(0, |since| since.elapsed().as_secs());
        self.is_reported = false;
        self.parts.metrics.follow_kept(chain_id, None);
        if let Some(outage) = self.parts.health.clear(&HealthPart::Following(chain_id)) {
            info!(%chain_id, kept_s, repeats = outage.repeats, "served head is current");
        }
    }

    /// The safe head stays. A node that lags for a moment is not news; one that does so for long is.
    fn note_kept(&mut self, error: &FollowError, kept: Option<Draft>) {
        let chain_id = self.parts.chain_id;
        let reason = error.to_string();
        let reported = self.parts.names.hide(&reason);
        if self.parts.served.keep_safe(chain_id, reported, kept, self.hold.as_ref()) {
            debug!(%chain_id, reason, "served safe head does not move");
        }
        let kept_for = self.kept_since.get_or_insert_with(Instant::now).elapsed();
        self.parts.metrics.follow_kept(chain_id, Some((error.name(), kept_for)));
        let is_served = self.parts.served.status(chain_id).is_some();
        if is_served && kept_for < PATIENCE {
            return;
        }
        let is_late = kept_for >= PATIENCE && !std::mem::replace(&mut self.is_reported, true);
        if !self.parts.health.set_not_ready(&HealthPart::Following(chain_id), reason.clone()) && !is_late {
            return;
        }
        // At the start there is nothing to serve yet, and nothing for an operator to do.
        if kept_for < PATIENCE {
            info!(%chain_id, reason, "no head is served yet");
        } else {
            let kept_s = kept_for.as_secs();
            warn!(%chain_id, reason, kept_s, "served head is stale");
        }
    }
}
