//! [`BranchWatch`]: reports that a chain's nodes remain on a block that was correctly replaced, as a node does that
//! does not verify messages. It is not an accusation, and moves no head.

use crate::health::Health;
use crate::stale_branches::{StaleBranch, StaleBranches};
use alloy::eips::BlockNumHash;
use crosscheck_p2p::ChainId;
use tracing::{info, warn};

/// How a chain's client stands to the vouched block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audit) enum BranchStanding {
    /// It stays on the block that was replaced.
    Stale(StaleBranch),
    /// It does not.
    Left,
    /// It cannot be determined now.
    Unknown,
}

/// Reports nodes that remain on replaced blocks.
#[derive(Debug)]
pub struct BranchWatch {
    health: Health,
    branches: StaleBranches,
}

impl BranchWatch {
    /// A watch that reports them there, and notes them in `branches`.
    pub const fn new(health: Health, branches: StaleBranches) -> Self {
        Self { health, branches }
    }

    /// The name of what is reported of a chain to [`Health`].
    pub fn part(chain_id: ChainId) -> String {
        format!("chain {chain_id} branch")
    }

    /// Records what a chain's client has at the vouched block.
    pub(super) fn update(&self, chain_id: ChainId, standing: BranchStanding) {
        match standing {
            BranchStanding::Stale(branch) => self.report(chain_id, branch),
            BranchStanding::Left => {
                if self.branches.set(chain_id, None).is_some() {
                    self.health.clear(&Self::part(chain_id));
                    info!(%chain_id, "nodes left the replaced block");
                }
            }
            BranchStanding::Unknown => {}
        }
    }

    fn report(&self, chain_id: ChainId, branch: StaleBranch) {
        let StaleBranch { replaced, by: BlockNumHash { number, hash } } = branch;
        let obstacle = format!(
            "its nodes remain on block {number} {replaced}, which was replaced by {hash}: a node that does not verify \
             messages does not leave it by itself; reset it, or use an op-supernode or a node that follows one"
        );
        self.health.obstruct(&Self::part(chain_id), obstacle);
        if self.branches.set(chain_id, Some(branch)) != Some(branch) {
            warn!(%chain_id, number, %replaced, by = %hash,
                  "nodes remain on a replaced block; later blocks wait until they leave it");
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
        let watch = BranchWatch::new(health.clone(), branches.clone());
        watch.update(chain_id, BranchStanding::Left);
        assert!(health.reasons().is_empty());
        let by = BlockNumHash { number: 7, hash: B256::repeat_byte(2) };
        let stale = StaleBranch { replaced: B256::repeat_byte(1), by };
        for _ in 0..2 {
            watch.update(chain_id, BranchStanding::Stale(stale));
            watch.update(chain_id, BranchStanding::Unknown);
            let reasons = health.reasons();
            let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
            assert!(reason.starts_with("chain 901 branch: "), "{reason}");
            assert_eq!(branches.of(chain_id), Some(stale));
            assert!(reason.contains(&stale.replaced.to_string()) && reason.contains(&by.hash.to_string()));
        }
        watch.update(chain_id, BranchStanding::Left);
        assert!(health.reasons().is_empty() && branches.of(chain_id).is_none());
    }
}
