//! The ancestors of attested blocks that have no attestation: found by their parent hashes, run by run, and
//! audited like any other block.
//!
//! A run is fetched and stored at once. The next run is fetched when half of this one is in progress: so
//! there is always something to judge, and memory stays bounded.

use super::{Auditor, Finished, Piece, report_bound};
use crate::audit::gap_run::MAX_RUN;
use crate::audit::open_cases::Work;
use crate::ledger::{LedgerError, NewAncestor};
use alloy::eips::BlockNumHash;
use crosscheck_core::case::Case;
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;
use std::sync::Arc;
use tokio::time::Instant;
use tracing::debug;

/// How many parents without a case are looked up at once, per chain.
const MAX_UNLINKED: u32 = 64;

impl Auditor {
    /// Attesting a block attests its ancestors: those without an attestation are audited too.
    pub(super) async fn find_parents(&mut self, chain_id: ChainId) -> Result<(), LedgerError> {
        let unlinked = self.parts.ledger.unlinked(chain_id, MAX_UNLINKED).await?;
        if unlinked.is_empty() {
            return Ok(());
        }
        let vouched = self.parts.ledger.vouched(chain_id).await?.map_or(0, |vouched| vouched.number);
        for BlockNumHash { number, hash } in unlinked.into_iter().map(|unlinked| unlinked.parent) {
            let key = BlockKey { chain_id, number, hash };
            if !self.open.contains(&key) {
                let below = number.saturating_sub(vouched).saturating_sub(1);
                let work = Work::Gap(below.min(MAX_RUN.saturating_sub(1)));
                self.open.insert(key, work, Instant::now());
            }
        }
        Ok(())
    }

    /// Fetches an ancestor, and this many blocks below it as far as they are linked to it.
    pub(super) fn fetch_run(&mut self, key: BlockKey, below: u64) {
        let investigator = Arc::clone(&self.parts.investigator);
        self.running.begin(Piece::Ancestor(key), async move {
            let (found, reason_text) = investigator.fetch_run_explained(key, below).await;
            Finished::Ancestor { key, found, reason_text }
        });
    }

    /// Opens the cases of a run, highest first. The first block of it is `key`.
    pub(super) async fn open_run(&mut self, key: BlockKey, run: &[VerifiedBlock]) -> Result<(), LedgerError> {
        let chain_id = key.chain_id;
        if run.first().is_some_and(|block| block.number() != key.number) {
            // Only a claim can name a block by another height than its own.
            debug!(%chain_id, number = key.number, hash = %key.hash, "claimed block has another height; dropped");
            self.open.close(&key);
            return Ok(());
        }
        let rules = self.parts.investigator.rules(chain_id);
        let (mut ancestors, mut cases) = (Vec::with_capacity(run.len()), Vec::with_capacity(run.len()));
        for block in run {
            let key = BlockKey { chain_id, number: block.number(), hash: block.hash() };
            let attributes = BlockAttributes::of_block(block);
            let (parent_hash, l1_origin) = (block.header().parent_hash, attributes.l1_origin());
            ancestors.push(NewAncestor { key, parent_hash, timestamp: block.timestamp(), l1_origin });
            cases.push(Case::new(key, rules, attributes));
        }
        let openings = self.parts.ledger.open_ancestors(&ancestors, self.parts.clock.now()).await?;
        openings.iter().flat_map(|opening| &opening.bound).for_each(report_bound);
        openings.iter().for_each(|opening| self.report_refuted(&opening.refuted));
        debug!(%chain_id, number = key.number, hash = %key.hash, opened = openings.len(), "ancestors opened");
        cases.truncate(openings.len());
        let rest = cases.split_off(cases.len().div_ceil(2));
        for case in cases {
            self.insert_ancestor(key, case);
        }
        self.find_parents(chain_id).await?;
        for case in rest {
            self.insert_ancestor(key, case);
        }
        Ok(())
    }

    /// Takes in the case of an ancestor that was fetched: `asked` for, or with that.
    fn insert_ancestor(&mut self, asked: BlockKey, case: Case) {
        let key = *case.key();
        if key == asked {
            self.open.resume(key, Work::Case(Box::new(case)));
        } else if self.open.contains(&key) || self.has_room_for_ancestors(key.chain_id) {
            self.open.insert_fetched(key, case, Instant::now());
        } else {
            self.leave_in_ledger(key.chain_id);
        }
    }
}
