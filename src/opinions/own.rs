//! What the watchers need of the program's own answers.

use crate::rpc::{OwnAnswers, OwnSuperRoot, SupervisorError};
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeSet;

/// The source of the own super roots.
pub(crate) trait OwnRoots: Send + Sync + 'static {
    /// Whether these chains are a dependency set that is watched here.
    ///
    /// # Errors
    /// If all of them are watched, and their dependency set is not known.
    fn is_set(&self, chains: &BTreeSet<ChainId>) -> Result<bool, SupervisorError>;

    /// The timestamp up to which every one of the chains is final. 0: one of them has no final block yet.
    fn finalized(
        &self,
        chains: &BTreeSet<ChainId>,
    ) -> impl Future<Output = Result<UnixSeconds, SupervisorError>> + Send;

    /// The super root of the chains at a timestamp. `None`: there is none yet.
    fn super_root(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> impl Future<Output = Result<Option<OwnSuperRoot>, SupervisorError>> + Send;
}

/// The source of the own access checks.
pub(crate) trait OwnChecks: Send + Sync + 'static {
    /// Checks an access list as of a transaction on this chain, in a block of this timestamp.
    fn check_access_list(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> impl Future<Output = Result<(), SupervisorError>> + Send;
}

impl OwnRoots for OwnAnswers {
    fn is_set(&self, chains: &BTreeSet<ChainId>) -> Result<bool, SupervisorError> {
        Self::is_set(self, chains)
    }

    async fn finalized(&self, chains: &BTreeSet<ChainId>) -> Result<UnixSeconds, SupervisorError> {
        Self::finalized(self, chains).await
    }

    async fn super_root(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<Option<OwnSuperRoot>, SupervisorError> {
        Self::super_root(self, chains, timestamp).await
    }
}

impl OwnChecks for OwnAnswers {
    async fn check_access_list(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SupervisorError> {
        Self::check_access_list(self, entries, chain_id, timestamp).await
    }
}
