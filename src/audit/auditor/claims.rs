//! Blocks that are claimed without a signature: audited like attested ones, with everything below them.
//!
//! A claim is the statement of an endpoint. It accuses no signer, and moves no head by itself.

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

/// How far below the vouched head a claimed block may be. What is further below is old: a source that was
/// restarted, or one of a pool that lags.
const MAX_BELOW_VOUCHED: u64 = 256;

/// How far above the rollup node's own tip a claimed block may be: more than a node that is restarted is
/// behind.
const MAX_ABOVE_TIP: u64 = 43_200;

/// A statement that a block is cross-safe, without a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The chain.
    pub chain_id: ChainId,
    /// The block.
    pub block: BlockNumHash,
    /// The claimant.
    pub claimant: Claimant,
}

/// Whether a claimed block is too far below the vouched head to say anything.
const fn is_old(number: u64, vouched: u64) -> bool {
    number.saturating_add(MAX_BELOW_VOUCHED) < vouched
}

impl Auditor {
    /// Takes a claimed block under audit, unless it is known. A claim that comes before it can be judged
    /// comes again.
    pub(super) async fn on_claim(&mut self, claim: Claim, now: Instant) -> Result<(), LedgerError> {
        let Claim { chain_id, block, claimant } = claim;
        let Some(vouched) = self.parts.ledger.vouched(chain_id).await? else { return Ok(()) };
        let Some(tip) = self.tip(chain_id) else { return Ok(()) };
        let is_near =
            block.number <= tip.saturating_add(MAX_ABOVE_TIP) && i64::try_from(block.number).is_ok();
        if !self.parts.rules.contains_key(&chain_id) || !is_near {
            debug!(%chain_id, number = block.number, %claimant, "claim far above the chain's tip ignored");
            return Ok(());
        }
        if !self.claims.note(chain_id, &claimant, block, now) {
            return Ok(());
        }
        let key = BlockKey { chain_id, number: block.number, hash: block.hash };
        self.give_up_former(&key, &claimant).await?;
        if is_old(block.number, vouched.number) {
            debug!(%chain_id, number = block.number, hash = %block.hash, %claimant, "claim of an old block ignored");
            return Ok(());
        }
        let claimed = self.parts.ledger.note_claim(&key, &claimant, self.parts.clock.now()).await?;
        debug!(%chain_id, number = key.number, hash = %key.hash, %claimant, ?claimed, "claim");
        if let Some(watch) = &mut self.parts.vouched {
            watch.attested(chain_id);
        }
        self.report_refuted(&claimed.refuted);
        if !claimed.has_case {
            self.claims.fetch(key, claimant);
            self.fetch_claimed(key, vouched.number, now);
        } else if claimant == Claimant::Derived {
            self.fill_branch(key, vouched.number, now).await?;
        }
        Ok(())
    }

    /// The height of the chain's tip by its rollup node.
    fn tip(&self, chain_id: ChainId) -> Option<u64> {
        let status = self.parts.investigator.heads(chain_id)?;
        [status.unsafe_l2, status.local_safe_l2].into_iter().flatten().map(|head| head.number).max()
    }

    /// A claimant that names block after block that no client has is waited for in one place: at the last.
    async fn give_up_former(&mut self, key: &BlockKey, claimant: &Claimant) -> Result<(), LedgerError> {
        let Some(former) = self.claims.give_up(key, claimant) else { return Ok(()) };
        if self.parts.ledger.has_case(&former).await? || !self.open.give_up_unfetched(&former) {
            return Ok(());
        }
        self.parts.ledger.forget_claim(&former, claimant).await?;
        // It may be the parent of one that is known.
        self.find_parents(key.chain_id).await
    }

    fn fetch_claimed(&mut self, key: BlockKey, vouched: u64, now: Instant) {
        if self.open.contains(&key) {
            self.open.request_fetch(&key);
            return;
        }
        let below = key.number.saturating_sub(vouched).saturating_sub(1);
        self.open.insert(key, Work::Gap(below.min(MAX_RUN.saturating_sub(1))), now);
    }

    /// The rollup node may have left the vouched branch below the vouched head. Without attestations nothing
    /// else names the blocks of the new branch down to where they split.
    async fn fill_branch(&mut self, key: BlockKey, vouched: u64, now: Instant) -> Result<(), LedgerError> {
        let BlockKey { chain_id, number, hash } = key;
        let gap = self.parts.ledger.branch_gap(chain_id, BlockNumHash { number, hash }).await?;
        // What is above the vouched head is found by its children.
        let Some(gap) = gap.filter(|gap| gap.number <= vouched.saturating_add(1)) else { return Ok(()) };
        let key = BlockKey { chain_id, number: gap.number, hash: gap.hash };
        if !self.open.contains(&key) {
            self.open.insert(key, Work::Gap(MAX_RUN.saturating_sub(1)), now);
        }
        Ok(())
    }

    /// Compares what a chain's endpoints claim, block by block, down to the lowest block that is claimed. Not
    /// when a claim comes: the blocks below it are fetched after that.
    async fn compare_claims(&mut self, chain_id: ChainId, now: Instant) -> Result<(), LedgerError> {
        let claimed = self.claims.endpoints(chain_id, now);
        if claimed.len() < 2 {
            return Ok(());
        }
        let Some(vouched) = self.parts.ledger.vouched(chain_id).await? else { return Ok(()) };
        let (claimed, old): (Vec<_>, Vec<_>) =
            claimed.into_iter().partition(|(_, block)| !is_old(block.number, vouched.number));
        old.iter().for_each(|(name, _)| self.claims.forget_differences(chain_id, name));
        let lowest = claimed.iter().map(|(_, block)| block.number).min().unwrap_or_default();
        let mut known: Vec<(String, Vec<BlockNumHash>)> = Vec::new();
        for (name, block) in claimed {
            let branch = match known.iter().find(|(_, branch)| branch.first() == Some(&block)) {
                Some((_, same)) => same.clone(),
                None => self.parts.ledger.claimed_branch(chain_id, block, lowest).await?,
            };
            for (other, theirs) in &known {
                self.claims.compare(chain_id, (other, theirs), (&name, &branch), now);
            }
            known.push((name, branch));
        }
        Ok(())
    }

    /// Compares what endpoints claim, and reports where they have differed for long.
    pub(super) async fn report_differences(&mut self, now: Instant) -> Result<(), LedgerError> {
        for chain_id in self.parts.rules.keys().copied().collect::<Vec<_>>() {
            self.compare_claims(chain_id, now).await?;
        }
        for difference in self.claims.lasting(now) {
            let claims = difference.answers.each_ref().map(|(name, hash)| (name.as_str(), *hash));
            let (chain_id, number, at) = (difference.chain_id, difference.number, self.parts.clock.now());
            self.parts.ledger.note_difference(chain_id, number, claims, at).await?;
            report_difference(&difference);
        }
        for chain_id in self.parts.rules.keys() {
            self.parts.metrics.claimants_differ(*chain_id, self.claims.count(*chain_id));
        }
        Ok(())
    }

    /// Reports claims that were refuted.
    pub(super) fn report_refuted(&self, refuted: &[RefutedClaim]) {
        for claim in refuted {
            self.parts.metrics.claim_refuted(claim.key.chain_id, claim.verdict.kind.name());
            report_refuted(claim, &self.parts.incidents);
        }
    }
}
