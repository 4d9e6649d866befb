//! A verdict against a block belongs to the branch of L1 that it depends on. If L1 reorgs that out before it
//! is final, the block is checked again: its verdict is confirmed on the new L1 branch, or withdrawn and
//! replaced by another one.
//!
//! While the outcome is unknown, the verdict remains. Without an L1 endpoint, no verdict is tied to a branch.

use super::{Auditor, Finished, Piece};
use crate::audit::{Investigation, Investigator};
use crate::invalid_blocks::Prover;
use crate::ledger::{LedgerError, StoredCase, TiedVerdict};
use crate::sources::SyncStatus;
use alloy::eips::BlockNumHash;
use crosscheck_core::case::{Case, Origin};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::message::BlockKey;
use crosscheck_p2p::{ChainId, Signers, Validator};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// How many verdicts of a chain are watched: against the highest blocks.
const MAX_TIED: usize = 1024;

/// The pause after the first check without a result; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two checks of one block.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The verdicts that a reorg of L1 can make untrue.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// What each rests on.
    tied: BTreeMap<BlockKey, BlockNumHash>,
    /// How often L1 had left a branch when all of them were checked last.
    seen: Option<u64>,
    /// Whether L1 is being asked about them.
    is_asking: bool,
    /// Those whose branch was reorged out: when each is checked next, and how often it was.
    due: BTreeMap<BlockKey, (Instant, u32)>,
    /// Those that are being checked.
    running: BTreeSet<BlockKey>,
}

impl Ties {
    /// A verdict rests on this. Beyond the bound those of the lowest blocks of the chain go.
    pub(super) fn tie(&mut self, key: BlockKey, l1: BlockNumHash) {
        self.tied.insert(key, l1);
        let of_chain = |known: &&BlockKey| known.chain_id == key.chain_id;
        if self.tied.keys().filter(of_chain).count() > MAX_TIED
            && let Some(lowest) = self.tied.keys().find(of_chain).copied()
        {
            self.tied.remove(&lowest);
        }
    }

    /// The blocks whose turn it is, this many at most.
    fn take_due(&mut self, chain_id: ChainId, now: Instant, limit: usize) -> Vec<BlockKey> {
        let is_due = |key: &BlockKey, at: &Instant| {
            key.chain_id == chain_id && *at <= now && !self.running.contains(key)
        };
        let due = self.due.iter().filter(|(key, (at, _))| is_due(key, at)).map(|(key, _)| *key);
        let due: Vec<_> = due.take(limit).collect();
        self.running.extend(&due);
        due
    }

    /// It could not be determined: the endpoints may answer later, also of a height that is final.
    fn postpone(&mut self, key: BlockKey, now: Instant) {
        self.running.remove(&key);
        let Some((at, looks)) = self.due.get_mut(&key) else { return };
        let pause = FIRST_PAUSE.saturating_mul(1 << (*looks).min(12)).min(LONGEST_PAUSE);
        (*at, *looks) = (now.checked_add(pause).unwrap_or(now), looks.saturating_add(1));
    }

    /// It is known what to think of it.
    fn settle(&mut self, key: &BlockKey) {
        self.running.remove(key);
        self.due.remove(key);
    }
}

impl Auditor {
    /// Opens what verdicts of earlier runs rest on.
    pub(super) async fn restore_ties(&mut self) -> Result<(), LedgerError> {
        for chain_id in self.parts.rules.keys() {
            let limit = u32::try_from(MAX_TIED).unwrap_or(u32::MAX);
            for TiedVerdict { key, l1 } in self.parts.ledger.tied_verdicts(*chain_id, limit).await? {
                self.ties.tie(key, l1);
            }
        }
        Ok(())
    }

    /// Checks the verdicts against blocks of all chains, even if their heads do not move: L1 may leave a
    /// branch while every chain is stalled.
    pub(super) async fn check_all_ties(&mut self) -> Result<(), LedgerError> {
        if self.ties.tied.is_empty() && self.ties.due.is_empty() {
            return Ok(());
        }
        for chain_id in self.parts.rules.keys().copied().collect::<Vec<_>>() {
            if let Some(status) = self.parts.investigator.heads(chain_id) {
                self.check_ties(chain_id, &status).await?;
            }
        }
        Ok(())
    }

    /// Checks the verdicts against a chain's blocks: asks L1 about what they rest on if it has left a branch
    /// or they are final, and continues with those whose branch was reorged out.
    pub(super) async fn check_ties(
        &mut self,
        chain_id: ChainId,
        status: &SyncStatus,
    ) -> Result<(), LedgerError> {
        self.request_tie_origins(chain_id, status);
        let room = self.parts.limits.concurrency.saturating_sub(self.running.len()).max(1);
        for key in self.ties.take_due(chain_id, Instant::now(), room) {
            let Some(case) = self.parts.ledger.wrong_case(&key).await? else {
                self.ties.settle(&key);
                continue;
            };
            let (case, investigator) = (self.reopened(&case), Arc::clone(&self.parts.investigator));
            self.running.begin(Piece::Again(key), async move {
                Finished::Again { key, found: recheck(&investigator, key, case).await.map(Box::new) }
            });
        }
        Ok(())
    }

    fn request_tie_origins(&mut self, chain_id: ChainId, status: &SyncStatus) {
        let left = self.parts.investigator.l1_branches_left();
        let is_final = |key: &BlockKey| is_final(key, status);
        let mut asked: Vec<_> = self.ties.tied.iter().map(|(key, l1)| (*key, *l1)).collect();
        let is_whole = self.ties.seen != Some(left);
        if !is_whole {
            // Whether L1 has left a branch is known once its latest block is requested.
            let newest = asked.iter().max_by_key(|(_, l1)| l1.number).copied();
            asked.retain(|(key, _)| key.chain_id == chain_id && is_final(key));
            asked.extend(newest);
        }
        if asked.is_empty() || self.ties.is_asking {
            return;
        }
        self.ties.is_asking = true;
        let investigator = Arc::clone(&self.parts.investigator);
        self.running.begin(Piece::Asking, async move {
            let mut found = Vec::with_capacity(asked.len());
            let mut known = BTreeMap::new();
            for (key, l1) in asked {
                let origin = match known.get(&l1.hash) {
                    Some(origin) => *origin,
                    None => investigator.l1_origin(key.chain_id, l1).await,
                };
                known.insert(l1.hash, origin);
                found.push((key, origin));
                if origin == Origin::NotYet {
                    break;
                }
            }
            Finished::Asked { left: is_whole.then_some(left), found }
        });
    }

    /// Records what L1 has of the blocks that verdicts depend on. `left`: how often it had left a branch when
    /// all of them were asked about.
    pub(super) fn on_tie_origins(&mut self, left: Option<u64>, found: Vec<(BlockKey, Origin)>) {
        self.ties.is_asking = false;
        if left.is_some() && found.iter().all(|(_, origin)| *origin != Origin::NotYet) {
            self.ties.seen = left;
        }
        for (key, origin) in found {
            let heads = self.parts.investigator.heads(key.chain_id).unwrap_or_default();
            match origin {
                Origin::Dropped => {
                    if self.ties.tied.remove(&key).is_some() {
                        let BlockKey { chain_id, number, hash } = key;
                        info!(%chain_id, number, %hash, "L1 reorged out what a verdict rests on; rechecking the block");
                        self.ties.due.insert(key, (Instant::now(), 0));
                    }
                }
                Origin::Canonical if is_final(&key, &heads) => drop(self.ties.tied.remove(&key)),
                Origin::Canonical | Origin::NotYet | Origin::Unknowable => {}
            }
        }
    }

    /// Not all requests to L1 were answered.
    pub(super) const fn repeat_origin_requests(&mut self) {
        self.ties.is_asking = false;
    }

    /// A check of a block whose verdict may be untrue was inconclusive.
    pub(super) fn recheck_later(&mut self, key: BlockKey) {
        self.ties.postpone(key, Instant::now());
    }

    /// Records what a block that was checked again is on the current branch of L1.
    pub(super) async fn on_rechecked(
        &mut self,
        key: BlockKey,
        found: Option<Box<Investigation>>,
    ) -> Result<(), LedgerError> {
        let Some(investigation) = found.filter(|found| found.case.verdict().is_some()) else {
            self.recheck_later(key);
            return Ok(());
        };
        let Some(verdict) = investigation.case.verdict() else { return Ok(()) };
        self.ties.settle(&key);
        let BlockKey { chain_id, number, hash } = key;
        let cases = self.parts.ledger.cases_at(chain_id, number).await?;
        let written = cases.into_iter().find(|case| case.hash == hash).and_then(|case| case.verdict);
        let Some(written) = written else { return Ok(()) };
        if (written.kind, written.reason.as_deref()) == (verdict.kind(), verdict.reason()) {
            debug!(%chain_id, number, %hash, verdict = verdict.name(), "verdict confirmed on the new L1 branch");
            if let Some(l1) = investigation.l1 {
                self.ties.tie(key, l1);
                self.parts.ledger.tie_verdict(&TiedVerdict { key, l1 }).await?;
            }
            return Ok(());
        }
        let Some(before) = self.parts.ledger.withdraw_verdict(&key, self.parts.clock.now()).await? else {
            return Ok(());
        };
        self.parts.invalid.withdraw_proof(&key, Prover::Audit);
        let (reason, detail) = (before.reason.as_deref().unwrap_or_default(), &before.detail);
        warn!(%chain_id, number, %hash, verdict = before.kind.name(), reason, detail, now = verdict.name(),
              "verdict withdrawn after an L1 reorg");
        self.decide(&investigation.case, investigation.l1).await
    }

    /// A case of an earlier run, or of a block that was decided. `None`: the block must be fetched.
    pub(super) fn reopened(&self, case: &StoredCase) -> Option<Box<Case>> {
        let key = case.key;
        let (topic, signer, frame) = case.attestation.as_ref()?;
        let rules = self.parts.rules.get(&key.chain_id)?;
        let block = Validator::reopen(rules, *topic, frame, &Signers::of(*signer)).ok()?;
        let attributes = BlockAttributes::of_envelope(block.envelope());
        Some(Box::new(Case::new(key, self.parts.investigator.rules(key.chain_id), attributes)))
    }
}

async fn recheck(
    investigator: &Investigator,
    key: BlockKey,
    case: Option<Box<Case>>,
) -> Option<Investigation> {
    let case = match case {
        Some(case) => *case,
        None => {
            let block = investigator.fetch(key).await.ok()?;
            Case::new(key, investigator.rules(key.chain_id), BlockAttributes::of_block(&block))
        }
    };
    Some(investigator.investigate(case).await)
}

fn is_final(key: &BlockKey, status: &SyncStatus) -> bool {
    status.finalized_l2.is_some_and(|head| head.number >= key.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    #[test]
    fn an_inconclusive_check_is_retried_with_longer_pauses() {
        let key = BlockKey { chain_id: ChainId::from(901), number: 7, hash: B256::repeat_byte(7) };
        let mut now = Instant::now();
        let mut ties = Ties::default();
        ties.due.insert(key, (now, 0));
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert_eq!(ties.take_due(key.chain_id, now, 4), [key]);
            assert_eq!(ties.take_due(key.chain_id, now, 4), [], "it is being looked at");
            ties.postpone(key, now);
            let (at, _) = ties.due[&key];
            pauses.push((at - now).as_secs());
            now = at;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }
}
