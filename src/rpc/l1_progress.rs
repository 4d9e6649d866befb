//! [`L1Progress`]: how far on L1 the chains of a set are derived and verified.
//!
//! Callers treat every L1 block below the answer as done: what is not safe with those never will be. So it is
//! the lowest block that any chain's node has reached, and no higher than the L1 block that the first block
//! was derived from that Crosscheck has not found safe. It never guesses upwards: where that block's source
//! is not known, the one of the last safe block is used.

use super::starts::Starts;
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::BlockId;
use super::{Derivation, SupervisorError};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;

/// Reports how far the chains are.
#[derive(Clone, Debug)]
pub(super) struct L1Progress {
    superchain: SuperchainReader,
    derivation: Derivation,
    starts: Starts,
}

impl L1Progress {
    /// Of this superchain.
    pub(super) const fn new(superchain: SuperchainReader, derivation: Derivation, starts: Starts) -> Self {
        Self { superchain, derivation, starts }
    }

    /// The L1 block below which everything is derived and verified, for each of these chains.
    ///
    /// # Errors
    /// If it is not known of one of them.
    pub(super) async fn of(&self, chains: &BTreeSet<ChainId>) -> Result<BlockId, SupervisorError> {
        let mut lowest: Option<BlockId> = None;
        for chain_id in chains {
            let own = self.of_chain(*chain_id).await?;
            if lowest.is_none_or(|lowest| own.number < lowest.number) {
                lowest = Some(own);
            }
        }
        lowest.ok_or_else(|| SupervisorError::Uninitialized { what: "every chain".to_owned() })
    }

    async fn of_chain(&self, chain_id: ChainId) -> Result<BlockId, SupervisorError> {
        let unknown =
            |what: &str| SupervisorError::Uninitialized { what: format!("{what} of chain {chain_id}") };
        // The node first: anything read later is at least as new as what it said.
        let said = self.superchain.last_status(chain_id).ok_or_else(|| unknown("what the node says"))?;
        let node = SuperchainReader::l1_in(&said, "current_l1");
        let node = node.ok_or_else(|| unknown("the node's current L1 block"))?;
        let node = BlockId { hash: node.hash, number: node.number };
        let said = said.heads().local_safe_l2;
        let heads = self.superchain.level_heads(chain_id)?;
        let safe = heads.head(SafetyLevel::Safe).ok_or_else(|| unknown("the safe head"))?;
        let derived = heads.head(SafetyLevel::LocalSafe).max(said.map(|head| head.number));
        if derived.is_none_or(|derived| derived <= safe) {
            return Ok(node);
        }
        let own = self.unverified_since(chain_id, safe).await?;
        Ok(if own.number < node.number { own } else { node })
    }

    /// The L1 block that the first block above the safe one was derived from, or one below.
    async fn unverified_since(&self, chain_id: ChainId, safe: u64) -> Result<BlockId, SupervisorError> {
        if let Ok(source) = self.source_at(chain_id, safe.saturating_add(1), SafetyLevel::LocalSafe).await {
            return Ok(source);
        }
        if safe <= self.starts.of(chain_id).await?.genesis.l2.number {
            return Ok(BlockId::default());
        }
        self.source_at(chain_id, safe, SafetyLevel::Safe).await
    }

    async fn source_at(
        &self,
        chain_id: ChainId,
        number: u64,
        level: SafetyLevel,
    ) -> Result<BlockId, SupervisorError> {
        let block = self.superchain.canonical(chain_id, number).await?;
        self.derivation.source_of(chain_id, block.id(), level).await
    }
}
