//! [`BlockSource`]: what a chain's reader asks of the chain's execution clients.

use super::labelled_status;
use crate::sources::{EndpointHealth, ExecutionClient, SourceError, SyncStatus};
use alloy::primitives::B256;
use crosscheck_core::heads::L2BlockRef;
use crosscheck_core::proof::{ProvenLogs, VerifiedBlock};
use std::future::Future;
use std::sync::Arc;

/// The blocks of one chain. A failure says nothing about the chain.
pub trait BlockSource: Send + Sync {
    /// Whether this chain is served.
    fn check_chain(&self) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// The highest block.
    fn tip(&self) -> impl Future<Output = Result<L2BlockRef, SourceError>> + Send;

    /// The heads by the labels of the clients.
    fn labelled_status(
        &self,
        tip: L2BlockRef,
    ) -> impl Future<Output = Result<SyncStatus, SourceError>> + Send;

    /// The canonical block at a height.
    fn block_by_number(
        &self,
        number: u64,
    ) -> impl Future<Output = Result<Option<VerifiedBlock>, SourceError>> + Send;

    /// The hash of the canonical block at a height.
    fn canonical_hash(&self, number: u64) -> impl Future<Output = Result<Option<B256>, SourceError>> + Send;

    /// A block, canonical or not.
    fn block_by_hash(
        &self,
        hash: B256,
    ) -> impl Future<Output = Result<Option<VerifiedBlock>, SourceError>> + Send;

    /// The proven logs of a block.
    fn logs(
        &self,
        block: &VerifiedBlock,
    ) -> impl Future<Output = Result<Option<Arc<ProvenLogs>>, SourceError>> + Send;

    /// The states of its endpoints.
    fn health(&self) -> Vec<EndpointHealth>;
}

impl BlockSource for ExecutionClient {
    async fn check_chain(&self) -> Result<(), SourceError> {
        self.check_chain().await
    }

    async fn tip(&self) -> Result<L2BlockRef, SourceError> {
        self.tip().await
    }

    async fn labelled_status(&self, tip: L2BlockRef) -> Result<SyncStatus, SourceError> {
        labelled_status(self, tip).await
    }

    async fn block_by_number(&self, number: u64) -> Result<Option<VerifiedBlock>, SourceError> {
        self.block_by_number(number).await
    }

    async fn canonical_hash(&self, number: u64) -> Result<Option<B256>, SourceError> {
        self.canonical_hash(number).await
    }

    async fn block_by_hash(&self, hash: B256) -> Result<Option<VerifiedBlock>, SourceError> {
        self.block_by_hash(hash).await
    }

    async fn logs(&self, block: &VerifiedBlock) -> Result<Option<Arc<ProvenLogs>>, SourceError> {
        self.logs(block).await
    }

    fn health(&self) -> Vec<EndpointHealth> {
        self.health().borrow().clone()
    }
}
