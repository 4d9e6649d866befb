//! [`OriginWitnesses`]: whether a chain's execution clients and L1 are of the chain that its rollup node
//! derives, by the blocks that it begins at.
//!
//! A chain of another genesis may have the same id: a devnet that was begun again, a shadow fork. What it
//! says proves nothing about the chain that is audited. An endpoint that has pruned these blocks, or does not
//! answer, is not a difference.

use super::rule_check::{ReportedConfig, RuleDifference};
use crate::sources::{ExecutionClient, L1Client, SourceError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::debug;

/// A chain's execution clients and L1, asked whether they are of the right chain. Clones share what is known.
#[derive(Clone, Debug, Default)]
pub struct OriginWitnesses {
    execution: Option<ExecutionClient>,
    l1: Option<L1Client>,
    heard: Arc<Heard>,
}

/// Endpoints that have answered without a contradiction, and are not asked again.
#[derive(Debug, Default)]
struct Heard {
    execution: AtomicBool,
    l1: AtomicBool,
}

impl OriginWitnesses {
    /// These clients of the chain, and L1 where it is configured.
    pub fn new(execution: Option<ExecutionClient>, l1: Option<L1Client>) -> Self {
        Self { execution, l1, heard: Arc::default() }
    }

    /// Where they are of another chain than the one that the rollup node's configuration reports. Each is
    /// asked until it contradicts nothing.
    ///
    /// # Errors
    /// If no execution client can be reached. Clients that do not agree, as where some have pruned their
    /// history, and an L1 that does not answer are asked with the next call.
    pub(super) async fn contradictions(
        &self,
        config: &ReportedConfig,
    ) -> Result<Vec<RuleDifference>, SourceError> {
        let mut found = Vec::new();
        let is_asked = |heard: &AtomicBool| !heard.load(Ordering::Relaxed);
        if let Some(execution) = self.execution.as_ref().filter(|_| is_asked(&self.heard.execution)) {
            match of_execution(execution, config).await {
                Ok(difference) => {
                    self.heard.execution.store(difference.is_none(), Ordering::Relaxed);
                    found.extend(difference);
                }
                Err(error @ SourceError::Unreachable { .. }) => return Err(error),
                Err(error) => {
                    debug!(%error, "not known yet whether the clients serve the right chain");
                }
            }
        }
        if let Some(l1) = self.l1.as_ref().filter(|_| is_asked(&self.heard.l1)) {
            match of_l1(l1, config).await {
                Ok(difference) => {
                    self.heard.l1.store(difference.is_none(), Ordering::Relaxed);
                    found.extend(difference);
                }
                Err(error) => debug!(%error, "not known yet whether L1 is the right chain"),
            }
        }
        Ok(found)
    }
}

async fn of_execution(
    execution: &ExecutionClient,
    config: &ReportedConfig,
) -> Result<Option<RuleDifference>, SourceError> {
    let Some(genesis) = config.genesis_block() else { return Ok(None) };
    let found = match execution.canonical_hash(genesis.number).await {
        Ok(found) => found,
        // Clients that have pruned their history say so in codes of their own.
        Err(SourceError::Refused { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(found.filter(|found| *found != genesis.hash).map(|found| {
        let source = "its execution clients, which serve another chain with the same id";
        RuleDifference::of_witness("genesis.l2", &genesis.hash, &found, source)
    }))
}

async fn of_l1(l1: &L1Client, config: &ReportedConfig) -> Result<Option<RuleDifference>, SourceError> {
    let source = format!("L1's endpoint {}", l1.url());
    if let Some(expected) = config.l1_chain_id() {
        let served = l1.chain_id().await?;
        if served != expected {
            return Ok(Some(RuleDifference::of_witness("l1_chain_id", &expected, &served, &source)));
        }
    }
    let Some(genesis) = config.genesis_l1() else { return Ok(None) };
    let found = match l1.block_by_number(genesis.number).await {
        Ok(found) => found.map(|header| header.hash()),
        Err(SourceError::Refused { .. }) => None,
        Err(error) => return Err(error),
    };
    let other = found.filter(|found| *found != genesis.hash);
    Ok(other.map(|found| RuleDifference::of_witness("genesis.l1", &genesis.hash, &found, &source)))
}

#[cfg(test)]
mod tests;
