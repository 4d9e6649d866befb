//! [`GenesisSource`]: the chains of a ledger, by the hashes of their first blocks.
//!
//! The first answer binds it. Later answers are compared with it and never overwrite it: a chain of another
//! genesis with the same id is another chain.

use super::column::read_hash;
use super::{Ledger, LedgerError};
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// The source of a genesis. A chain that had a history before it was a rollup has two first blocks: the one
/// that its rollup node derives from, and block 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenesisSource {
    /// The rollup node: the block that it derives from.
    RollupNode,
    /// An execution client: block 0.
    Execution,
}

impl GenesisSource {
    const fn name(self) -> &'static str {
        match self {
            Self::RollupNode => "rollup-node",
            Self::Execution => "execution",
        }
    }
}

impl Ledger {
    /// Binds the ledger to a chain's genesis, unless it is bound. Returns what it is bound to.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub async fn bind_genesis(
        &self,
        chain_id: ChainId,
        source: GenesisSource,
        hash: B256,
    ) -> Result<B256, LedgerError> {
        self.retry_until_done(|| self.bind_genesis_once(chain_id, source, hash)).await
    }

    async fn bind_genesis_once(
        &self,
        chain_id: ChainId,
        source: GenesisSource,
        hash: B256,
    ) -> Result<B256, LedgerError> {
        let chain = chain_id.to_string();
        if let Some(bound) = self.bound_genesis(&chain, source).await? {
            return Ok(bound);
        }
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO chain_genesis (chain_id, told_by, hash) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(&chain)
        .bind(source.name())
        .bind(hash.as_slice())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(self.bound_genesis(&chain, source).await?.unwrap_or(hash))
    }

    async fn bound_genesis(&self, chain: &str, source: GenesisSource) -> Result<Option<B256>, LedgerError> {
        let row = sqlx::query("SELECT hash FROM chain_genesis WHERE chain_id = ?1 AND told_by = ?2")
            .bind(chain)
            .bind(source.name())
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| read_hash(&row, "hash")).transpose()
    }
}
