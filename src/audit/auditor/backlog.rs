//! The cases that are open in the ledger: those of an earlier run, and those above the limit.
//!
//! Every attestation is stored when it is received. Cases above the limit wait in the ledger until half of
//! their chain's share is free again. Each chain has its own share, so a stalled chain does not block another
//! one.

use super::Auditor;
use crate::audit::open_cases::Work;
use crate::ledger::{LedgerError, StoredCase};
use crate::metrics::Limit;
use crosscheck_p2p::ChainId;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// How many open cases are read at once.
const PAGE: u32 = 256;

/// How many candidates of a chain are read back after a restart.
const MAX_KEPT_CANDIDATES: u32 = 16_384;

impl Auditor {
    /// How many cases of one chain may be open at once.
    fn room(&self) -> usize {
        self.parts.limits.max_open.checked_div(self.parts.rules.len()).unwrap_or_default().max(1)
    }

    /// Whether there is room for one more case of a chain.
    pub(super) fn has_room(&self, chain_id: ChainId) -> bool {
        self.open.count(chain_id) < self.room()
    }

    /// Whether there is room for one more ancestor without an attestation. They have as much room again: what
    /// waits above a gap does not keep it from being judged.
    pub(super) fn has_room_for_ancestors(&self, chain_id: ChainId) -> bool {
        self.open.count(chain_id) < self.room().saturating_mul(2)
    }

    /// One more case of a chain is in the ledger alone.
    pub(super) fn leave_in_ledger(&mut self, chain_id: ChainId) {
        self.parts.metrics.shared().limit_reached(Limit::OpenCases);
        if self.left_in_ledger.insert(chain_id) {
            warn!(%chain_id, open = self.open.count(chain_id),
                  "too many open cases, further blocks wait in the ledger; see what the oldest waits for, or raise audit.max_open");
        }
    }

    /// Opens what waits in the ledger, of the chains that have room again.
    pub(super) async fn open_backlog(&mut self) -> Result<(), LedgerError> {
        let half = self.room().div_ceil(2);
        let chains = self.left_in_ledger.iter().copied();
        let with_room: Vec<ChainId> = chains.filter(|chain_id| self.open.count(*chain_id) < half).collect();
        for chain_id in with_room {
            self.open_from_ledger(chain_id).await?;
            if !self.left_in_ledger.contains(&chain_id) {
                info!(%chain_id, "all waiting blocks are being judged again");
            }
        }
        Ok(())
    }

    /// Opens the cases that an earlier run left open.
    pub(super) async fn restore(&mut self) -> Result<(), LedgerError> {
        if let Some(watch) = &mut self.parts.vouched {
            for chain_id in self.parts.rules.keys() {
                if self.parts.ledger.has_attestations(*chain_id).await? {
                    watch.attested(*chain_id);
                }
            }
        }
        self.restore_ties().await?;
        self.restore_branches().await?;
        for (chain_id, cases) in self.parts.ledger.open_by_chain().await? {
            if !self.parts.rules.contains_key(&chain_id) {
                warn!(%chain_id, cases, "open cases of an unconfigured chain are ignored");
            }
        }
        for chain_id in self.parts.rules.keys().copied().collect::<Vec<_>>() {
            self.open_from_ledger(chain_id).await?;
            let kept = self.parts.ledger.candidates(chain_id, MAX_KEPT_CANDIDATES).await?;
            for (number, candidate) in kept {
                let _known = self.parts.investigator.candidates().note(chain_id, number, candidate);
            }
            self.find_parents(chain_id).await?;
        }
        if self.open.len() > 0 {
            info!(cases = self.open.len(), "resuming open cases");
        }
        Ok(())
    }

    /// Opens a chain's cases that are open in the ledger and not here, oldest first, as many as there is room
    /// for.
    async fn open_from_ledger(&mut self, chain_id: ChainId) -> Result<(), LedgerError> {
        let mut after = 0;
        loop {
            let page = self.parts.ledger.open_cases(chain_id, after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                self.left_in_ledger.remove(&chain_id);
                return Ok(());
            };
            after = *last;
            for (_, case) in
                page.into_iter().filter(|(_, case)| !self.open.contains(&case.key)).collect::<Vec<_>>()
            {
                if !self.has_room(chain_id) {
                    self.left_in_ledger.insert(chain_id);
                    return Ok(());
                }
                self.reopen(&case);
            }
        }
    }

    fn reopen(&mut self, case: &StoredCase) {
        let work = self.reopened(case).map_or(Work::Ancestor, Work::Case);
        let StoredCase { key, opened_at, .. } = case;
        debug!(chain_id = %key.chain_id, number = key.number, hash = %key.hash, "resuming an open case");
        let now = Instant::now();
        self.open.insert(*key, work, now);
        let age = Duration::from_secs(self.parts.clock.now().0.saturating_sub(opened_at.0));
        self.open.backdate(key, now.checked_sub(age).unwrap_or(now));
    }
}
