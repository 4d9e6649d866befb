//! [`BranchWatch`]: notes that a chain's nodes are on an invalid block, and reports if they remain on it for
//! a minute, or once its replacement is upheld, as a node does that does not verify messages. It is not an
//! accusation, and moves no head.

use crate::health::{Health, HealthPart};
use crate::stale_branches::{StaleBranch, StaleBranches};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// How long nodes may take to replace an invalid block before that is reported.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a chain's client is on an invalid block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) enum ClientBranch {
    /// It is.
    Stale(StaleBranch),
    /// It is not.
    Left,
    /// It cannot be determined now.
    Unknown,
}

/// Notes the nodes that are on invalid blocks.
#[derive(Debug)]
pub struct BranchWatch {
    health: Health,
    branches: StaleBranches,
    /// Since when the nodes of a chain have been on an invalid block without a replacement, and whether that
    /// was reported.
    since: BTreeMap<ChainId, (StaleBranch, Instant, bool)>,
}

impl BranchWatch {
    /// A watch that notes them in `branches`, and reports to `health` those that remain on a replaced block.
    pub const fn new(health: Health, branches: StaleBranches) -> Self {
        Self { health, branches, since: BTreeMap::new() }
    }

    /// Notes where a chain's nodes may be, until it is known.
    pub(super) fn expect(&self, chain_id: ChainId, branch: StaleBranch) {
        self.branches.expect(chain_id, branch);
    }

    /// Records whether a chain's client is on an invalid block.
    pub(super) fn update(&mut self, chain_id: ChainId, client_branch: ClientBranch, now: Instant) {
        match client_branch {
            ClientBranch::Stale(branch) => self.report(chain_id, branch, now),
            ClientBranch::Left => {
                self.since.remove(&chain_id);
                if let Some(StaleBranch { invalid, .. }) = self.branches.set(chain_id, None) {
                    self.health.clear(&HealthPart::Branch(chain_id));
                    info!(%chain_id, number = invalid.number, hash = %invalid.hash, "nodes left the invalid block");
                }
            }
            ClientBranch::Unknown => {}
        }
    }

    fn report(&mut self, chain_id: ChainId, branch: StaleBranch, now: Instant) {
        let is_news = self.branches.set(chain_id, Some(branch)) != Some(branch);
        let StaleBranch { invalid, replaced_by } = branch;
        let (number, hash) = (invalid.number, invalid.hash);
        let Some(by) = replaced_by else {
            if is_news {
                info!(%chain_id, number, %hash, "nodes are on an invalid block; later blocks wait until they leave it");
            }
            return self.report_lasting(chain_id, branch, now);
        };
        self.since.remove(&chain_id);
        let obstacle = format!(
            "its nodes remain on block {number} {hash}, which was replaced by {by}: a node that does not verify \
             messages does not leave it by itself; reset it, or use an op-supernode or a node that follows one"
        );
        self.health.set_not_ready(&HealthPart::Branch(chain_id), obstacle);
        if is_news {
            warn!(%chain_id, number, replaced = %hash, %by,
                  "nodes remain on a replaced block; later blocks wait until they leave it");
        }
    }

    /// The verdict against the block is the alarm. That the nodes do not replace it is reported after a
    /// while.
    fn report_lasting(&mut self, chain_id: ChainId, branch: StaleBranch, now: Instant) {
        let entry = self.since.entry(chain_id).or_insert((branch, now, false));
        if entry.0 != branch {
            *entry = (branch, now, false);
        }
        let (_, since, is_reported) = entry;
        if now.saturating_duration_since(*since) < PATIENCE {
            self.health.clear(&HealthPart::Branch(chain_id));
            return;
        }
        let StaleBranch { invalid: BlockNumHash { number, hash }, .. } = branch;
        let problem = format!(
            "its nodes remain on block {number} {hash}, which is invalid: a node that does not verify messages does not \
             leave it by itself; use an op-supernode or a node that follows one, or decide with `crosscheck resolve`"
        );
        self.health.set_not_ready(&HealthPart::Branch(chain_id), problem);
        if !std::mem::replace(is_reported, true) {
            warn!(%chain_id, number, %hash, "nodes remain on an invalid block; later blocks wait until they leave it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    #[test]
    fn both_blocks_are_named_until_the_nodes_leave_the_replaced_one() {
        let (health, chain_id) = (Health::default(), ChainId::from(901));
        let branches = StaleBranches::default();
        let now = Instant::now();
        let mut watch = BranchWatch::new(health.clone(), branches.clone());
        watch.update(chain_id, ClientBranch::Left, now);
        assert!(health.reasons().is_empty());
        let (invalid, by) = (BlockNumHash { number: 7, hash: B256::repeat_byte(1) }, B256::repeat_byte(2));
        let awaited = StaleBranch { invalid, replaced_by: None };
        watch.update(chain_id, ClientBranch::Stale(awaited), now);
        assert_eq!(branches.of(chain_id), Some(awaited));
        assert!(health.reasons().is_empty(), "the nodes may replace it in a moment");
        let stale = StaleBranch { invalid, replaced_by: Some(by) };
        for _ in 0..2 {
            watch.update(chain_id, ClientBranch::Stale(stale), now);
            watch.update(chain_id, ClientBranch::Unknown, now);
            let reasons = health.reasons();
            let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
            assert!(reason.starts_with("chain 901 branch: "), "{reason}");
            assert_eq!(branches.of(chain_id), Some(stale));
            assert!(reason.contains(&invalid.hash.to_string()) && reason.contains(&by.to_string()));
        }
        watch.update(chain_id, ClientBranch::Left, now);
        assert!(health.reasons().is_empty() && branches.of(chain_id).is_none());
    }

    /// A node that verifies messages replaces the block in seconds.
    #[test]
    fn nodes_that_remain_on_an_invalid_block_are_reported_after_a_minute() {
        let lines = crate::telemetry::captured::Lines::capture();
        let (health, chain_id, start) = (Health::default(), ChainId::from(901), Instant::now());
        let branches = StaleBranches::default();
        let mut watch = BranchWatch::new(health.clone(), branches.clone());
        let invalid = BlockNumHash { number: 7, hash: B256::repeat_byte(1) };
        let branch = StaleBranch { invalid, replaced_by: None };
        watch.expect(chain_id, branch);
        assert!(branches.is_expected(chain_id) && branches.of(chain_id) == Some(branch));
        for (seconds, warned) in [(0, 0), (59, 0), (60, 1), (90, 1)] {
            let now = start + Duration::from_secs(seconds);
            watch.update(chain_id, ClientBranch::Stale(branch), now);
            assert!(!branches.is_expected(chain_id));
            assert_eq!((lines.count("WARN"), health.reasons().len()), (warned, warned), "{seconds}");
        }
        watch.update(chain_id, ClientBranch::Left, start + Duration::from_secs(91));
        assert!(health.reasons().is_empty() && branches.of(chain_id).is_none());
        watch.update(chain_id, ClientBranch::Stale(branch), start + Duration::from_secs(92));
        assert!(health.reasons().is_empty(), "counted anew");
    }
}
