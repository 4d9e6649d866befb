//! [`DepositRules`]: what is the same for all blocks of a chain.

use super::upgrade::upgrades;
use super::{BlobSchedule, DepositsError, L1InfoError, NamedBundle, SetSize};
use crate::consolidation::RollupConfig;
use alloy::primitives::Address;
use crosscheck_p2p::UnixSeconds;
use std::sync::Arc;

/// What is the same for all blocks of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepositRules {
    /// The chain's rollup configuration.
    pub config: RollupConfig,
    /// The blob schedule of its L1.
    pub blobs: BlobSchedule,
    /// How many chains its dependency set has.
    pub set: SetSize,
    /// The upgrade transactions of forks that this build does not know.
    pub bundles: Arc<[NamedBundle]>,
}

impl DepositRules {
    /// The rules of a chain whose L1 is known by its chain id, or has no blobs in excess; no bundle is named.
    pub fn new(config: RollupConfig, set: SetSize) -> Self {
        let blobs = BlobSchedule::of_l1(config.l1_chain_id);
        Self { config, blobs, set, bundles: Arc::default() }
    }

    /// The contracts whose logs on L1 count.
    pub const fn contracts(&self) -> [Address; 2] {
        [self.config.deposit_contract, self.config.system_config]
    }

    /// Whether the block of this time is the first of a fork whose upgrade transactions are not known here.
    pub fn lacks_bundle_at(&self, timestamp: UnixSeconds) -> bool {
        upgrades(self, timestamp).unknown.is_some()
    }

    /// Why a first transaction in no known encoding is not a contradiction at this time, if it is none: a
    /// fork that is not known here may have brought another.
    pub fn may_be_unknown(&self, error: &L1InfoError, timestamp: UnixSeconds) -> Option<DepositsError> {
        let fork = self.config.unknown_forks.in_force(timestamp).map(|fork| fork.name.clone());
        match (fork, error.unknown_selector()) {
            (Some(fork), _) => Some(DepositsError::UnknownFork { fork, difference: error.to_string() }),
            (None, Some(selector)) => Some(DepositsError::UnknownEncoding { selector }),
            (None, None) => None,
        }
    }

    /// The bundle that an operator named for a fork.
    pub(super) fn bundle(&self, fork: &str) -> Option<&NamedBundle> {
        self.bundles.iter().find(|bundle| bundle.fork == fork)
    }
}
