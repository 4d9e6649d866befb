//! [`Auditor`]: the task that turns attestations into cases, and cases into durable verdicts.
//!
//! It owns every open case. Investigations run beside it, bounded in number; the ledger is written here
//! alone. It never alerts and never answers users: they read the ledger.

mod again;
mod backlog;
mod claims;
mod gap;
mod report;
mod second_hand;
mod ties;
mod vouched;

pub use self::claims::Claim;
use self::report::{report, report_bound};
use self::ties::Ties;
use super::AuditMetrics;
use super::claim_book::ClaimBook;
use super::investigator::{HeadMove, Witnesses, output};
use super::open_cases::{OpenCases, Work};
use super::reasons::ReasonTexts;
use super::replaced_branch::ClientBranch;
use super::{BranchWatch, Investigation, Investigator, OpenCaseWatch, VouchedWatch};
use crate::incidents::Incidents;
use crate::invalid_blocks::{InvalidBlocks, Prover};
use crate::ledger::{Decision, Ledger, LedgerError, NewCase, Opened, Opening};
use crate::metrics::Limit;
use crate::pieces::Pieces;
use crate::sources::SyncStatus;
use alloy::eips::BlockNumHash;
use crosscheck_core::case::{Candidate, Case, Origin, Wait};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::{OutputV0, VerifiedBlock};
use crosscheck_p2p::{ChainId, Clock, PayloadVersion, ValidBlock, ValidationRules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// What the auditor is sent.
#[derive(Debug)]
pub enum AuditorMessage {
    /// A valid block came in by gossip.
    Gossip {
        /// The block.
        block: Box<ValidBlock>,
        /// When it came in.
        at: Instant,
    },
    /// A chain's node says something new of its heads.
    Heads {
        /// The chain.
        chain_id: ChainId,
        /// What it says.
        status: Box<SyncStatus>,
    },
    /// A block is claimed without a signature.
    Claim(Claim),
}

/// The auditor's bounds.
#[derive(Clone, Copy, Debug)]
pub struct AuditLimits {
    /// How many cases may be open at once, all chains together. Beyond a chain's share new ones wait in the
    /// ledger.
    pub max_open: usize,
    /// How many investigations may run at once.
    pub concurrency: usize,
}

/// How many blocks below a local-safe head are checked, if they were not gossiped here.
const MAX_SEARCHED: u64 = 256;

/// How often it is checked how long cases have been open.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What an auditor works with.
#[derive(Debug)]
pub struct AuditorParts {
    /// Where cases and verdicts are stored.
    pub ledger: Ledger,
    /// Asks the sources for what cases need.
    pub investigator: Arc<Investigator>,
    /// What it is sent.
    pub inbox: mpsc::Receiver<AuditorMessage>,
    /// The chains that it audits, and the rules of their gossip.
    pub rules: BTreeMap<ChainId, ValidationRules>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What it counts.
    pub metrics: AuditMetrics,
    /// Its bounds.
    pub limits: AuditLimits,
    /// Where it marks each block that is invalid.
    pub invalid: InvalidBlocks,
    /// The alarms that were raised: it raises none of them again.
    pub incidents: Incidents,
    /// Reports cases that stay open. `None`: they are not reported.
    pub watch: Option<OpenCaseWatch>,
    /// Reports nodes that remain on replaced blocks. `None`: they are not reported.
    pub branches: Option<BranchWatch>,
    /// Reports vouched heads that do not move. `None`: they are not reported.
    pub vouched: Option<VouchedWatch>,
}

/// The task that owns every open case.
#[derive(Debug)]
pub struct Auditor {
    parts: AuditorParts,
    open: OpenCases,
    /// Up to where each chain's local-safe blocks were checked.
    searched_up_to: BTreeMap<ChainId, u64>,
    /// The chains of which it was reported that what their node calls final is too old to begin an audit at.
    unanchored: BTreeSet<ChainId>,
    /// The chains of which cases are open in the ledger alone.
    left_in_ledger: BTreeSet<ChainId>,
    /// How often each chain's vouched head has been moved back, or by an operator, when it was last looked
    /// at.
    moves: BTreeMap<ChainId, u64>,
    /// What was claimed last, and by whom.
    claims: ClaimBook,
    /// Up to where each chain was vouched for when that was published last.
    published: BTreeMap<ChainId, u64>,
    /// The chains whose vouched heads may move on over blocks that are upheld already.
    behind: BTreeSet<ChainId>,
    /// The chains whose vouched heads are being checked.
    checking: BTreeSet<ChainId>,
    /// Those of them of which there has been news since.
    check_again: BTreeSet<ChainId>,
    /// Which nodes could confirm the answers that cases waiting for a second opinion need, at the last check.
    witnesses: BTreeMap<BlockKey, Witnesses>,
    ties: Ties,
    /// What was reported last of why what cases wait for is unavailable, and when.
    reported_reasons: BTreeMap<Wait, (String, Instant)>,
    running: Pieces<Piece, Finished>,
}

/// One piece of work: what is opened again if it panics.
#[derive(Debug)]
enum Piece {
    /// The case as it was before anything was learnt for it.
    Case(Box<Case>),
    Ancestor(BlockKey),
    Scouting(ChainId),
    CheckingVouched(ChainId),
    /// Asking L1 about what verdicts rest on.
    Asking,
    /// A block that was found invalid, looked at again.
    Again(BlockKey),
}

/// What came of one piece of work.
#[derive(Debug)]
enum Finished {
    Case(Box<Investigation>),
    Ancestor {
        key: BlockKey,
        /// The block, and those below it that were fetched with it.
        found: Result<Vec<VerifiedBlock>, Wait>,
        reason_text: ReasonTexts,
    },
    Scouted {
        chain_id: ChainId,
        blocks: Vec<VerifiedBlock>,
    },
    VouchedChecked {
        chain_id: ChainId,
        found: Result<Option<HeadMove>, LedgerError>,
        client_branch: Result<ClientBranch, LedgerError>,
    },
    Asked {
        left: Option<u64>,
        found: Vec<(BlockKey, Origin)>,
    },
    Again {
        key: BlockKey,
        /// `None`: the block was unavailable.
        found: Option<Box<Investigation>>,
    },
}

impl Auditor {
    /// An auditor that knows of no case yet.
    pub fn new(parts: AuditorParts) -> Self {
        let behind = parts.rules.keys().copied().collect();
        Self {
            parts,
            open: OpenCases::default(),
            searched_up_to: BTreeMap::new(),
            unanchored: BTreeSet::new(),
            left_in_ledger: BTreeSet::new(),
            moves: BTreeMap::new(),
            claims: ClaimBook::default(),
            published: BTreeMap::new(),
            behind,
            checking: BTreeSet::new(),
            check_again: BTreeSet::new(),
            witnesses: BTreeMap::new(),
            ties: Ties::default(),
            reported_reasons: BTreeMap::new(),
            running: Pieces::new(),
        }
    }

    /// Audits until cancelled. What is under way then is left to the next start.
    ///
    /// # Errors
    /// If the ledger fails: nothing may be judged that cannot be written down.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), LedgerError> {
        self.restore().await?;
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.open_backlog().await?;
            self.start_work();
            self.publish_open();
            let wake = self.open.next_due();
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                message = self.parts.inbox.recv() => match message {
                    Some(message) => self.handle(message).await?,
                    None => return Ok(()),
                },
                Some((piece, outcome)) = self.running.next() => match outcome {
                    Ok(finished) => self.finish(finished).await?,
                    Err(error) => self.retry_panicked(piece, &error),
                },
                () = sleep_until_due(wake) => {}
                _ = look.tick() => {
                    self.check_open_cases();
                    self.continue_vouched().await?;
                    self.check_all_ties().await?;
                    self.report_differences(Instant::now()).await?;
                }
            }
        }
    }

    async fn handle(&mut self, message: AuditorMessage) -> Result<(), LedgerError> {
        match message {
            AuditorMessage::Gossip { block, at } => {
                let attributes = BlockAttributes::of_envelope(block.envelope());
                let payload = block.payload();
                // Without the storage root in its header (before Isthmus) no block can be replaced.
                if let (PayloadVersion::V4, Some(withdrawals_root)) =
                    (payload.version(), payload.withdrawals_root())
                {
                    let (state_root, block_hash) = (payload.state_root, block.hash());
                    let output = OutputV0 { state_root, withdrawals_root, block_hash };
                    self.note_candidate(block.chain_id(), block.number(), output, &attributes).await?;
                }
                if block.topic().is_cross_safe() {
                    self.open_attested(&block, attributes, at).await?;
                }
                Ok(())
            }
            AuditorMessage::Heads { chain_id, status } => {
                self.open.wake(chain_id, Instant::now());
                self.wake_second_hand(chain_id);
                self.anchor(chain_id, &status).await?;
                self.check_vouched(chain_id);
                self.check_ties(chain_id, &status).await?;
                self.note_local_safe_blocks(chain_id, &status).await
            }
            AuditorMessage::Claim(claim) => self.on_claim(claim, Instant::now()).await,
        }
    }

    /// Remembers a block that an attested one may replace; durably, for a replacement may come after a
    /// restart.
    async fn note_candidate(
        &mut self,
        chain_id: ChainId,
        number: u64,
        output: OutputV0,
        attributes: &BlockAttributes,
    ) -> Result<(), LedgerError> {
        let replacement = self.parts.investigator.rules(chain_id).replacement.of(output);
        let candidate = Candidate::of(output.block_hash, attributes, replacement);
        let Some(candidate) = candidate else { return Ok(()) };
        let Some(oldest) = self.parts.investigator.candidates().note(chain_id, number, candidate) else {
            return Ok(());
        };
        match self.parts.ledger.note_candidate(chain_id, number, &candidate, oldest).await {
            Err(error @ LedgerError::OutOfRange { .. }) => {
                debug!(%chain_id, %error, "block does not fit the ledger; not recorded");
                Ok(())
            }
            other => other,
        }
    }

    /// Records the blocks that became local-safe without having been gossiped here, as after a restart: they
    /// may be replaced, too.
    async fn note_local_safe_blocks(
        &mut self,
        chain_id: ChainId,
        status: &SyncStatus,
    ) -> Result<(), LedgerError> {
        let Some(tip) = status.local_safe_l2.map(|head| head.number) else { return Ok(()) };
        let vouched = self.parts.ledger.vouched(chain_id).await?.map_or(tip, |vouched| vouched.number);
        let from = self
            .searched_up_to
            .get(&chain_id)
            .copied()
            .unwrap_or(vouched)
            .max(tip.saturating_sub(MAX_SEARCHED));
        let candidates = self.parts.investigator.candidates();
        let unknown: Vec<u64> = (from.saturating_add(1)..=tip)
            .filter(|number| candidates.at(chain_id, *number).is_empty())
            .collect();
        self.searched_up_to.insert(chain_id, tip);
        if !unknown.is_empty() {
            let investigator = Arc::clone(&self.parts.investigator);
            self.running.begin(Piece::Scouting(chain_id), async move {
                Finished::Scouted {
                    chain_id,
                    blocks: investigator.local_safe_blocks(chain_id, &unknown).await,
                }
            });
        }
        Ok(())
    }

    async fn open_attested(
        &mut self,
        block: &ValidBlock,
        attributes: BlockAttributes,
        at: Instant,
    ) -> Result<(), LedgerError> {
        let key = BlockKey { chain_id: block.chain_id(), number: block.number(), hash: block.hash() };
        let now = self.parts.clock.now();
        let Opening { opened, bound, refuted } =
            match self.parts.ledger.open_case(&NewCase::Attested(block), now).await {
                Err(error @ LedgerError::OutOfRange { .. }) => {
                    debug!(chain_id = %key.chain_id, %error, "attestation does not fit the ledger; dropped");
                    return Ok(());
                }
                other => other?,
            };
        debug!(chain_id = %key.chain_id, number = key.number, hash = %key.hash, ?opened, "attestation");
        bound.iter().for_each(report_bound);
        self.report_refuted(&refuted);
        if let Some(watch) = &mut self.parts.vouched {
            watch.attested(key.chain_id);
        }
        match opened {
            Opened::New => {
                self.parts.metrics.attestation_received(key.chain_id);
                let case = Case::new(key, self.parts.investigator.rules(key.chain_id), attributes);
                // Already open: its child came first. A block that no client has is never fetched.
                if self.open.contains(&key) {
                    self.open.on_fetched(key, case, Instant::now());
                } else if self.has_room(key.chain_id) {
                    self.open.insert(key, Work::Case(Box::new(case)), at);
                } else {
                    self.leave_in_ledger(key.chain_id);
                }
                self.find_parents(key.chain_id).await
            }
            Opened::NowAttested => {
                self.parts.metrics.attestation_received(key.chain_id);
                if block.domain().is_attributable() { self.attribute(key).await } else { Ok(()) }
            }
            Opened::NowAttributable => {
                self.parts.metrics.attestation_made_attributable(key.chain_id);
                self.attribute(key).await
            }
            Opened::Known => Ok(()),
        }
    }

    /// A block without an attestation, or with a possible replay only, is bound to its signer now: the ledger
    /// reports a verdict against it again.
    async fn attribute(&mut self, key: BlockKey) -> Result<(), LedgerError> {
        let BlockKey { chain_id, number, hash } = key;
        let cases = self.parts.ledger.cases_at(chain_id, number).await?;
        let verdict = cases.into_iter().find(|case| case.hash == hash).and_then(|case| case.verdict);
        let Some(verdict) = verdict.filter(|verdict| verdict.kind.is_wrong()) else {
            return Ok(());
        };
        self.parts.metrics.attributable_verdict(chain_id, verdict.kind.name());
        let (name, reason) = (verdict.kind.name(), verdict.reason.as_deref().unwrap_or_default());
        warn!(%chain_id, number, %hash, verdict = name, reason, detail = verdict.detail, attributable = true,
              "sequencer attested this invalid block; binding signature received");
        Ok(())
    }

    async fn finish(&mut self, finished: Finished) -> Result<(), LedgerError> {
        match finished {
            Finished::Case(investigation) if investigation.case.verdict().is_some() => {
                self.decide(&investigation.case, investigation.l1).await
            }
            Finished::Case(investigation) => {
                let Investigation { case, waits, reason_text, .. } = *investigation;
                let key = *case.key();
                let messages = case.messages().to_vec();
                self.report_reasons(&reason_text);
                let news = self.open.postpone(key, Work::Case(Box::new(case)), waits, reason_text);
                if let Some((waits, reason_text)) = news {
                    self.parts.ledger.note_progress(&key, &waits, &reason_text, &messages).await?;
                }
                Ok(())
            }
            Finished::Scouted { chain_id, blocks } => {
                for block in blocks {
                    let attributes = BlockAttributes::of_block(&block);
                    self.note_candidate(chain_id, block.number(), output(&block), &attributes).await?;
                }
                Ok(())
            }
            Finished::VouchedChecked { chain_id, found, client_branch } => {
                self.on_vouched_checked(chain_id, found?, client_branch?).await
            }
            Finished::Asked { left, found } => {
                self.on_tie_origins(left, found);
                Ok(())
            }
            Finished::Again { key, found } => self.on_rechecked(key, found).await,
            Finished::Ancestor { key, found, reason_text } => match found {
                Ok(run) => self.open_run(key, &run).await,
                Err(wait) => {
                    self.report_reasons(&reason_text);
                    self.open.postpone(key, Work::Ancestor, [wait].into(), reason_text);
                    Ok(())
                }
            },
        }
    }

    /// `l1`: up to where L1 had been read.
    async fn decide(&mut self, case: &Case, l1: Option<BlockNumHash>) -> Result<(), LedgerError> {
        let (key, Some(verdict)) = (*case.key(), case.verdict()) else {
            return Ok(());
        };
        let closed = self.open.close(&key);
        let (after, waits) =
            closed.map_or((Duration::ZERO, BTreeSet::new()), |entry| (entry.opened.elapsed(), entry.waited));
        let decision = Decision {
            key,
            verdict,
            detail: case.detail().unwrap_or_default(),
            messages: case.messages(),
            replaces: case.replaced(),
            l1: l1.filter(|_| verdict.is_wrong()),
            waits: &waits,
            at: self.parts.clock.now(),
            after,
        };
        if verdict.is_wrong() && !self.parts.invalid.prove(&key, Prover::Audit) {
            self.parts.metrics.shared().limit_reached(Limit::InvalidBlocks);
        }
        // Durable first: anyone who hears of a verdict can rely on finding it after a crash. That no follower
        // is led onto the block needs no such promise, and anyone who finds the verdict finds that done.
        let Some(decided) = self.parts.ledger.decide(&decision).await? else {
            return Ok(());
        };
        if let Some(l1) = decision.l1 {
            self.ties.tie(key, l1);
        }
        self.parts.metrics.verdict(&decision, &decided);
        if case.is_rule_dependent() {
            self.parts.metrics.rule_dependent(key.chain_id);
            warn!(chain_id = %key.chain_id, number = key.number, hash = %key.hash,
                  "block is referenced by a cycle; older nodes replace it and newer nodes do not");
        }
        if let Some(taken) = case.taken() {
            self.parts.metrics.upgrade_from_node(key.chain_id);
            warn!(chain_id = %key.chain_id, number = key.number, fork = taken.fork, transactions = taken.transactions,
                  gas = taken.gas,
                  "upgrade transactions taken from the rollup node; set consolidation.upgrade_bundles or upgrade Crosscheck");
        }
        report(&key, &decision, &decided, &self.parts.incidents);
        self.report_refuted(&decided.refuted);
        if let Some(retraction) = &decided.retraction {
            self.report_retraction(retraction).await?;
        }
        self.publish_vouched(key.chain_id).await?;
        // The chain's nodes may remain on the replaced block, or on the invalid one, and name no new head for
        // long.
        if verdict.is_wrong()
            || self.parts.ledger.vouched_head(key.chain_id).await?.is_some_and(|head| head.replaces.is_some())
        {
            self.check_vouched(key.chain_id);
        }
        Ok(())
    }

    fn start_work(&mut self) {
        while self.running.len() < self.parts.limits.concurrency {
            let Some((key, work)) = self.open.take_due(Instant::now()) else {
                return;
            };
            match work {
                Work::Case(case) => {
                    let investigator = Arc::clone(&self.parts.investigator);
                    self.running.begin(Piece::Case(Box::new(case.anew())), async move {
                        Finished::Case(Box::new(investigator.investigate(*case).await))
                    });
                }
                Work::Ancestor => self.fetch_run(key, 0),
                Work::Gap(below) => self.fetch_run(key, below),
            }
        }
    }

    fn check_open_cases(&mut self) {
        let now = Instant::now();
        for chain_id in self.parts.rules.keys() {
            if let Some(watch) = &mut self.parts.watch {
                watch.check(*chain_id, &self.open, self.parts.investigator.reasons(), now);
            }
            if let (Some(watch), Some(status)) =
                (&mut self.parts.vouched, self.parts.investigator.heads(*chain_id))
            {
                watch.check(*chain_id, &status, now);
            }
        }
    }

    fn publish_open(&self) {
        for chain_id in self.parts.rules.keys() {
            self.parts.metrics.open_cases(*chain_id, self.open.count(*chain_id));
        }
    }
}

async fn sleep_until_due(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
