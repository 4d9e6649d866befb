//! [`Follower`]: the task that keeps one chain's served status current.
//!
//! It works when the upstream says something new, when a verdict falls, and once per interval: that finds an
//! operator's resolution, which another process writes. It never polls a node that its head watcher polls.

use super::error::FollowError;
use super::{
    CanonicalHashes, Facts, Genesis, L2Ref, Served, ServedStatus, Upstream, UpstreamStatus, Vouched,
};
use crate::config::FollowMode;
use crate::health::Health;
use crate::ledger::{Hold, Ledger, LedgerError, VouchedHead};
use crate::metrics::Metrics;
use crate::sources::{ExecutionClient, RollupNodes, StatusDocument};
use crosscheck_p2p::ChainId;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// The shortest pause between two rounds, however much news there is.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause after nodes that did not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the last status may stay for another reason than a hold before that stands in the way of being ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a follower needs.
#[derive(Debug)]
pub struct FollowerParts {
    /// The chain.
    pub chain_id: ChainId,
    /// What is served.
    pub mode: FollowMode,
    /// Where the vouched head is, and what holds it.
    pub ledger: Ledger,
    /// The chain's execution clients.
    pub execution: ExecutionClient,
    /// The chain's own rollup nodes: their configuration is passed on.
    pub sibling: RollupNodes,
    /// Whose status is served on.
    pub upstream: Upstream,
    /// How long a round may be put off.
    pub interval: Duration,
    /// Where the status is left.
    pub served: Served,
    /// Where readiness is told.
    pub health: Health,
    /// What is measured.
    pub metrics: Metrics,
}

/// Keeps one chain's served status current.
#[derive(Debug)]
pub struct Follower {
    parts: FollowerParts,
    genesis: Option<Genesis>,
    vouched: Option<L2Ref>,
    hold: Option<Hold>,
    seen: Option<Seen>,
    kept_since: Option<Instant>,
}

/// What the status served now was made from.
#[derive(Debug, PartialEq)]
struct Seen {
    document: StatusDocument,
    head: VouchedHead,
    hold: Option<Hold>,
}

impl Follower {
    /// A follower that has served nothing yet.
    pub const fn new(parts: FollowerParts) -> Self {
        Self { parts, genesis: None, vouched: None, hold: None, seen: None, kept_since: None }
    }

    /// The name of what this task reports to [`Health`].
    pub fn part(chain_id: ChainId) -> String {
        format!("chain {chain_id} following")
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
        let interval = self.parts.interval;
        let mut after_failure = interval;
        loop {
            changes.mark_unchanged();
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
                () = self.parts.upstream.news() => {}
            }
        }
    }

    /// One round. `true`: a node did not answer.
    async fn round(&mut self) -> Result<bool, LedgerError> {
        let chain_id = self.parts.chain_id;
        let head = self.parts.ledger.vouched_head(chain_id).await?;
        let hold = self.parts.ledger.hold(chain_id).await?;
        self.note_hold(hold);
        let outcome = self.refresh(head).await;
        if let Some(age) = self.parts.upstream.age() {
            self.parts.metrics.follow_upstream_age(chain_id, age);
        }
        let has_failed = outcome.as_ref().is_err_and(FollowError::is_source_failure);
        match outcome {
            Ok(()) => self.note_current(),
            Err(error) => self.note_kept(&error),
        }
        Ok(has_failed)
    }

    async fn refresh(&mut self, head: Option<VouchedHead>) -> Result<(), FollowError> {
        let genesis = self.genesis().await?;
        let answer = self.parts.upstream.answer().await?.ok_or(FollowError::NoUpstream)?;
        let head = head.ok_or(FollowError::NothingVouched)?;
        let seen = Seen { document: answer.document, head, hold: self.hold.clone() };
        if self.seen.as_ref() == Some(&seen) {
            return Ok(());
        }
        // What was made from other facts is no longer known to be current.
        self.seen = None;
        let upstream = UpstreamStatus::read(&seen.document)?;
        let vouched = Vouched { block: self.vouched(head, &genesis).await?, replaces: head.replaces };
        let canonical = self.canonical(&upstream, &vouched).await?;
        let last = self.parts.served.status(self.parts.chain_id);
        let status = ServedStatus::next(&Facts {
            mode: self.parts.mode,
            upstream: &upstream,
            vouched: &vouched,
            canonical: &canonical,
            hold: self.hold.as_ref(),
            last: last.as_ref(),
        })?;
        self.publish(status);
        self.seen = Some(seen);
        Ok(())
    }

    /// The chain's genesis block, of the configuration that is passed on. Asked for once.
    async fn genesis(&mut self) -> Result<Genesis, FollowError> {
        if let Some(genesis) = self.genesis {
            return Ok(genesis);
        }
        let config = self.parts.sibling.rollup_config_document().await?;
        let genesis = Genesis::of_rollup_config(config.get())
            .map_err(|error| FollowError::Genesis { reason: error.to_string() })?;
        self.parts.served.set_rollup_config(self.parts.chain_id, config);
        Ok(*self.genesis.insert(genesis))
    }

    /// The vouched block in full, from the execution client: a block that it lacks is not served.
    async fn vouched(&mut self, head: VouchedHead, genesis: &Genesis) -> Result<L2Ref, FollowError> {
        let (number, hash) = (head.position.number, head.position.hash);
        if let Some(known) = self.vouched.filter(|known| known.hash == hash) {
            return Ok(known);
        }
        let block = self.parts.execution.block_by_hash(hash).await?;
        let block = block.ok_or(FollowError::VouchedMissing { number, hash })?;
        Ok(*self.vouched.insert(L2Ref::of_block(&block, genesis)?))
    }

    async fn canonical(
        &self,
        upstream: &UpstreamStatus,
        vouched: &Vouched,
    ) -> Result<CanonicalHashes, FollowError> {
        let mut canonical = CanonicalHashes::default();
        for number in Facts::heights(upstream, vouched) {
            if let Some(hash) = self.parts.execution.canonical_hash(number).await? {
                canonical.insert(number, hash);
            }
        }
        Ok(canonical)
    }

    fn publish(&self, status: ServedStatus) {
        let chain_id = self.parts.chain_id;
        for (level, head) in [
            ("unsafe", status.unsafe_l2),
            ("local-safe", status.local_safe_l2),
            ("safe", status.safe_l2),
            ("finalized", status.finalized_l2),
        ] {
            self.parts.metrics.follow_head(chain_id, level, head.number);
        }
        self.parts.served.set_status(chain_id, status);
    }

    fn note_hold(&mut self, hold: Option<Hold>) {
        let chain_id = self.parts.chain_id;
        self.parts.metrics.follow_held(chain_id, hold.is_some());
        if hold == self.hold {
            return;
        }
        match &hold {
            Some(Hold { number, hash, verdict, reason, detail }) => {
                let (reason, detail) =
                    (reason.as_deref().unwrap_or_default(), detail.as_deref().unwrap_or_default());
                warn!(%chain_id, number, %hash, verdict, reason, detail,
                      "the served head is held; it moves on when another block is upheld, or after `crosscheck resolve`");
            }
            None => info!(%chain_id, "the served head is held no longer"),
        }
        self.hold = hold;
    }

    fn note_current(&mut self) {
        self.kept_since = None;
        let chain_id = self.parts.chain_id;
        if self.parts.health.clear(&Self::part(chain_id)) {
            info!(%chain_id, "followers are served");
        }
    }

    /// The last status stays. A node that lags for a moment is no news; one that does so for long is.
    fn note_kept(&mut self, error: &FollowError) {
        let chain_id = self.parts.chain_id;
        let reason = error.to_string();
        if self.parts.served.keep(chain_id, reason.clone(), self.hold.as_ref()) {
            debug!(%chain_id, reason, "the served status stays");
        }
        let since = *self.kept_since.get_or_insert_with(Instant::now);
        let is_served = self.parts.served.status(chain_id).is_some();
        if is_served && since.elapsed() < PATIENCE {
            return;
        }
        if !self.parts.health.obstruct(&Self::part(chain_id), reason.clone()) {
            return;
        }
        // At the start there is nothing to serve yet, and nothing for an operator to do.
        if since.elapsed() < PATIENCE {
            info!(%chain_id, reason, "followers are not served yet");
        } else {
            warn!(%chain_id, reason, "followers are not served anything new");
        }
    }
}
