//! Blocks that are claimed without a signature: audited like attested ones, with everything below them.
//!
//! A claim is the word of an endpoint. It moves no head, and what it turns out to be worth accuses no signer.

use super::Auditor;
use super::report::{report_difference, report_refuted};
use crate::audit::gap_run::MAX_RUN;
use crate::audit::open_cases::Work;
use crate::ledger::{Claimant, LedgerError, RefutedClaim};
use alloy::eips::BlockNumHash;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::ChainId;
use tokio::time::Instant;
use tracing::debug;

/// How far below the vouched head a claimed block may be. What is further below is old: a source that was restarted, or one of a pool
/// that lags.
const MAX_BELOW_VOUCHED: u64 = 256;

/// A statement that a block is cross-safe, without a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The chain.
    pub chain_id: ChainId,
    /// The block.
    pub block: BlockNumHash,
    /// Who says so.
    pub claimant: Claimant,
}

/// Whether a claimed block is too far below the vouched head to say anything.
const fn is_old(number: u64, vouched: u64) -> bool {
    number.saturating_add(MAX_BELOW_VOUCHED) < vouched
}

impl Auditor {
    /// Takes a claimed block under audit, unless it is known.
    pub(super) async fn on_claim(&mut self, claim: Claim, now: Instant) -> Result<(), LedgerError> {
        let Claim { chain_id, block, claimant } = claim;
        // Where the audit begins is not known yet. The claim comes again.
        let Some(vouched) = self.ledger.vouched(chain_id).await? else { return Ok(()) };
        if !self.rules.contains_key(&chain_id) || !self.claims.note(chain_id, &claimant, block, now) {
            return Ok(());
        }
        if block == vouched {
            return Ok(());
        }
        if is_old(block.number, vouched.number) {
            debug!(%chain_id, number = block.number, hash = %block.hash, %claimant, "claim of an old block ignored");
            return Ok(());
        }
        let key = BlockKey { chain_id, number: block.number, hash: block.hash };
        let claimed = match self.ledger.note_claim(&key, &claimant, self.clock.now()).await {
            Err(error @ LedgerError::OutOfRange { .. }) => {
                debug!(%chain_id, %error, "claim does not fit the ledger; dropped");
                return Ok(());
            }
            other => other?,
        };
        debug!(%chain_id, number = key.number, hash = %key.hash, %claimant, ?claimed, "claim");
        if let Some(watch) = &mut self.vouched {
            watch.attested(chain_id);
        }
        self.report_refuted(&claimed.refuted);
        if claimed.has_case { Ok(()) } else { self.fetch_claimed(key, claimant, vouched.number, now).await }
    }

    /// Fetches a claimed block. A claimant that names block after block that no client has is waited for in one place: at the last.
    async fn fetch_claimed(
        &mut self,
        key: BlockKey,
        claimant: Claimant,
        vouched: u64,
        now: Instant,
    ) -> Result<(), LedgerError> {
        let before = self.claims.fetch(key, claimant);
        if self.open.contains(&key) {
            return Ok(());
        }
        let below = key.number.saturating_sub(vouched).saturating_sub(1);
        let work = Work::Gap(below.min(MAX_RUN.saturating_sub(1)));
        self.open.insert(key, work, now);
        if before.is_some_and(|before| self.open.give_up_unfetched(&before)) {
            // It may be the parent of one that is known.
            self.find_parents(key.chain_id).await?;
        }
        Ok(())
    }

    /// Compares what a chain's endpoints claim, block by block, down to the lowest block that is claimed. Not when a claim comes: the
    /// blocks below it are fetched after that.
    async fn compare_claims(&mut self, chain_id: ChainId, now: Instant) -> Result<(), LedgerError> {
        let claimed = self.claims.endpoints(chain_id, now);
        if claimed.len() < 2 {
            return Ok(());
        }
        let Some(vouched) = self.ledger.vouched(chain_id).await? else { return Ok(()) };
        let (claimed, old): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|(_, block)| !is_old(block.number, vouched.number));
        old.iter().for_each(|(name, _)| self.claims.forget_differences(chain_id, name));
        let lowest = claimed.iter().map(|(_, block)| block.number).min().unwrap_or_default();
        let mut known: Vec<(String, Vec<BlockNumHash>)> = Vec::new();
        for (name, block) in claimed {
            let branch = match known.iter().find(|(_, branch)| branch.first() == Some(&block)) {
                Some((_, same)) => same.clone(),
                None => self.ledger.claimed_branch(chain_id, block, lowest).await?,
            };
            for (other, theirs) in &known {
                self.claims.compare(chain_id, (other, theirs), (&name, &branch), now);
            }
            known.push((name, branch));
        }
        Ok(())
    }

    /// Reports where endpoints have differed for long.
    pub(super) async fn report_differences(&mut self, now: Instant) -> Result<(), LedgerError> {
        for chain_id in self.rules.keys().copied().collect::<Vec<_>>() {
            self.compare_claims(chain_id, now).await?;
        }
        for difference in self.claims.lasting(now) {
            let [first, second] = &difference.answers;
            let claims = [(first.0.as_str(), first.1), (second.0.as_str(), second.1)];
            let (chain_id, number) = (difference.chain_id, difference.number);
            self.ledger.note_difference(chain_id, number, claims, self.clock.now()).await?;
            report_difference(&difference);
        }
        for chain_id in self.rules.keys() {
            self.metrics.claimants_differ(*chain_id, self.claims.count(*chain_id));
        }
        Ok(())
    }

    /// Reports claims that were refuted.
    pub(super) fn report_refuted(&self, refuted: &[RefutedClaim]) {
        for claim in refuted {
            self.metrics.claim_refuted(claim.key.chain_id, &claim.verdict.name);
            report_refuted(claim, &self.incidents);
        }
    }
}
