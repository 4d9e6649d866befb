//! [`BranchWatch`]: notes that a chain's nodes are on an invalid block, and reports if they remain on it once its replacement is
//! upheld, as a node does that does not verify messages. It is not an accusation, and moves no head.

use crate::health::Health;
use crate::stale_branches::{StaleBranch, StaleBranches};
use crosscheck_p2p::ChainId;
use tracing::{info, warn};

/// Whether a chain's client is on an invalid block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) enum BranchStanding {
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
}

impl BranchWatch {
    /// A watch that notes them in `branches`, and reports to `health` those that remain on a replaced block.
    pub const fn new(health: Health, branches: StaleBranches) -> Self {
        Self { health, branches }
    }

    /// The name of what is reported of a chain to [`Health`].
    pub fn part(chain_id: ChainId) -> String {
        format!("chain {chain_id} branch")
    }

    /// Notes where a chain's nodes may be, until it is known.
    pub(super) fn expect(&self, chain_id: ChainId, branch: StaleBranch) {
        self.branches.set(chain_id, Some(branch));
    }

    /// Records whether a chain's client is on an invalid block.
    pub(super) fn update(&self, chain_id: ChainId, standing: BranchStanding) {
        match standing {
            BranchStanding::Stale(branch) => self.report(chain_id, branch),
            BranchStanding::Left => {
                if let Some(StaleBranch { invalid, .. }) = self.branches.set(chain_id, None) {
                    self.health.clear(&Self::part(chain_id));
                    info!(%chain_id, number = invalid.number, hash = %invalid.hash, "nodes left the invalid block");
                }
            }
            BranchStanding::Unknown => {}
        }
    }

    fn report(&self, chain_id: ChainId, branch: StaleBranch) {
        let is_news = self.branches.set(chain_id, Some(branch)) != Some(branch);
        let StaleBranch { invalid, replaced_by } = branch;
        let (number, hash) = (invalid.number, invalid.hash);
        let Some(by) = replaced_by else {
            // The verdict against the block is the alarm.
            self.health.clear(&Self::part(chain_id));
            if is_news {
                info!(%chain_id, number, %hash, "nodes are on an invalid block; later blocks wait until they leave it");
            }
            return;
        };
        let obstacle = format!(
            "its nodes remain on block {number} {hash}, which was replaced by {by}: a node that does not verify \
             messages does not leave it by itself; reset it, or use an op-supernode or a node that follows one"
        );
        self.health.set_not_ready(&Self::part(chain_id), obstacle);
        if is_news {
            warn!(%chain_id, number, replaced = %hash, %by,
                  "nodes remain on a replaced block; later blocks wait until they leave it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::BlockNumHash;
    use alloy::primitives::B256;

    #[test]
    fn both_blocks_are_named_until_the_nodes_leave_the_replaced_one() {
        let (health, chain_id) = (Health::default(), ChainId::from(901));
        let branches = StaleBranches::default();
        let watch = BranchWatch::new(health.clone(), branches.clone());
        watch.update(chain_id, BranchStanding::Left);
        assert!(health.reasons().is_empty());
        let (invalid, by) = (BlockNumHash { number: 7, hash: B256::repeat_byte(1) }, B256::repeat_byte(2));
        let awaited = StaleBranch { invalid, replaced_by: None };
        watch.update(chain_id, BranchStanding::Stale(awaited));
        assert_eq!(branches.of(chain_id), Some(awaited));
        assert!(health.reasons().is_empty(), "the nodes may replace it in a moment");
        let stale = StaleBranch { invalid, replaced_by: Some(by) };
        for _ in 0..2 {
            watch.update(chain_id, BranchStanding::Stale(stale));
            watch.update(chain_id, BranchStanding::Unknown);
            let reasons = health.reasons();
            let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
            assert!(reason.starts_with("chain 901 branch: "), "{reason}");
            assert_eq!(branches.of(chain_id), Some(stale));
            assert!(reason.contains(&invalid.hash.to_string()) && reason.contains(&by.to_string()));
        }
        watch.update(chain_id, BranchStanding::Left);
        assert!(health.reasons().is_empty() && branches.of(chain_id).is_none());
    }
}
