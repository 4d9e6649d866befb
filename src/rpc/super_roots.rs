//! [`SuperRoots`]: the state of the chains of one dependency set at one timestamp, from verified headers.
//!
//! A chain's block at a timestamp is its last one at or before it, as op-supernode counts: heights follow
//! from the first block and the block time, and the header's timestamp proves the height.

use super::originals::{Originals, proven_output};
use super::params::DecimalChainId;
use super::starts::Starts;
use super::super_root::{SUPER_ROOT_VERSION, super_root};
use super::superchain_reader::SuperchainReader;
use super::supervisor_types::{BlockId, BlockRef, ChainRootInfo, HexNumber, SuperRootResponse};
use super::{Derivation, SupervisorError};
use crate::ledger::Ledger;
use alloy::primitives::B256;
use crosscheck_core::heads::SafetyLevel;
use crosscheck_core::proof::OutputV0;
use crosscheck_p2p::{ChainId, UnixSeconds};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Computes super roots.
#[derive(Clone, Debug)]
pub struct SuperRoots {
    superchain: SuperchainReader,
    derivation: Derivation,
    starts: Starts,
    originals: Originals,
}

/// One chain at a timestamp.
#[derive(Clone, Debug)]
pub(super) struct ChainOutput {
    /// The chain.
    pub chain_id: ChainId,
    /// The height of its block.
    pub number: u64,
    /// What the output root of its block is made of.
    pub canonical: OutputV0,
    /// The same of the block that was there before a replacement, if there was one.
    pub original: OutputV0,
    /// The L1 block that it became safe with.
    pub source: BlockId,
    /// Whether the block is cross-safe, by Crosscheck's own look, too.
    pub is_safe: bool,
}

/// Where a timestamp falls on a chain.
#[derive(Clone, Copy, Debug)]
struct Place {
    block: BlockRef,
    is_first: bool,
    /// Whether the chain begins after the timestamp: its first block is used for what is before it.
    is_before: bool,
}

impl SuperRoots {
    /// Super roots of this superchain.
    pub(super) fn new(superchain: SuperchainReader, derivation: Derivation, ledger: Ledger) -> Self {
        let starts = Starts::new(superchain.clone());
        let originals = Originals::new(superchain.clone(), ledger);
        Self { superchain, derivation, starts, originals }
    }

    /// Where the chains begin.
    pub(super) const fn starts(&self) -> &Starts {
        &self.starts
    }

    /// The super root of these chains at a timestamp at which each of them is cross-safe.
    ///
    /// # Errors
    /// If a chain is not that far, or a part cannot be proven.
    pub(super) async fn cross_safe_at(
        &self,
        chains: &BTreeSet<ChainId>,
        timestamp: UnixSeconds,
    ) -> Result<SuperRootResponse, SupervisorError> {
        let outputs = chains.iter().copied().map(|chain_id| async move {
            let place = self.place(chain_id, timestamp).await?;
            if place.is_before {
                return Err(SupervisorError::Skipped {
                    what: format!("the block of chain {chain_id} at {}", timestamp.0),
                    reason: "the chain did not exist yet".to_owned(),
                });
            }
            self.output(chain_id, place, SafetyLevel::Safe).await
        });
        let outputs = try_join_all(outputs).await?;
        let source = outputs.iter().map(|output| output.source).max_by_key(|source| source.number);
        let source =
            source.ok_or_else(|| SupervisorError::Uninitialized { what: "every chain".to_owned() })?;
        Ok(SuperRootResponse {
            cross_safe_derived_from: source,
            timestamp: HexNumber(timestamp.0),
            super_root: super_root(timestamp, &roots(&outputs)),
            version: [SUPER_ROOT_VERSION].into(),
            chains: outputs
                .iter()
                .map(|chain| ChainRootInfo {
                    chain_id: DecimalChainId(chain.chain_id),
                    canonical: chain.canonical.root(),
                    pending: chain.original.preimage().to_vec().into(),
                })
                .collect(),
        })
    }

    /// One chain at a timestamp. `None`: L1 does not lead it that far yet.
    ///
    /// # Errors
    /// If a part cannot be proven.
    pub(super) async fn derived_at(
        &self,
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<Option<ChainOutput>, SupervisorError> {
        let output = async {
            let place = self.place(chain_id, timestamp).await?;
            let output = self.output(chain_id, place, SafetyLevel::LocalSafe).await;
            match output {
                // A record of cross-safe heads alone names no source of what is only derived.
                Err(SupervisorError::Skipped { what, .. })
                    if !self
                        .superchain
                        .level_heads(chain_id)?
                        .reaches(place.block.number, SafetyLevel::Safe) =>
                {
                    Err(SupervisorError::Future { what })
                }
                other => other,
            }
        };
        match output.await {
            Ok(output) => Ok(Some(output)),
            Err(SupervisorError::Future { .. } | SupervisorError::NotAsSafe { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn output(
        &self,
        chain_id: ChainId,
        place: Place,
        wanted: SafetyLevel,
    ) -> Result<ChainOutput, SupervisorError> {
        let number = place.block.number;
        let heads = self.superchain.level_heads(chain_id)?;
        if !heads.reaches(number, wanted) {
            return Err(SupervisorError::NotAsSafe { chain_id, number, wanted });
        }
        let source = if place.is_first {
            // The first block needs nothing of L1, and no record names it.
            BlockId::default()
        } else {
            self.derivation.source_of(chain_id, place.block.id(), wanted).await?
        };
        let verified = self.superchain.block(chain_id, place.block.hash).await?;
        Ok(ChainOutput {
            chain_id,
            number,
            canonical: proven_output(chain_id, &verified)?,
            original: self.originals.output(chain_id, &verified).await?,
            source,
            is_safe: heads.reaches(number, SafetyLevel::Safe),
        })
    }

    /// The chain's last block at or before a timestamp, or its first.
    async fn place(&self, chain_id: ChainId, timestamp: UnixSeconds) -> Result<Place, SupervisorError> {
        let block_time = self.superchain.sources(chain_id)?.block_time.max(1);
        let start = self.starts.of(chain_id).await?;
        let (first, height) = (start.genesis.l2, start.height_at(timestamp, block_time));
        let number = height.unwrap_or(first.number);
        let block = self.superchain.canonical(chain_id, number).await?;
        let what = || format!("the block of chain {chain_id} at {}", timestamp.0);
        if number == first.number && block.hash != first.hash {
            let reason = format!("its node starts with {}, its endpoints with {}", first.hash, block.hash);
            return Err(SupervisorError::Missed { what: what(), reason });
        }
        let is_in_time = timestamp.0.checked_sub(block.timestamp).is_some_and(|elapsed| elapsed < block_time);
        if height.is_some() && !is_in_time {
            let reason = format!(
                "block {number} has timestamp {}: the chain's blocks are not {block_time} s apart",
                block.timestamp
            );
            return Err(SupervisorError::Skipped { what: what(), reason });
        }
        Ok(Place { block, is_first: number == first.number, is_before: height.is_none() })
    }
}

/// The output roots by chain.
pub(super) fn roots(outputs: &[ChainOutput]) -> BTreeMap<ChainId, B256> {
    outputs.iter().map(|chain| (chain.chain_id, chain.canonical.root())).collect()
}

/// The ids of these chains as Go writes them.
pub(super) fn decimal(chains: &BTreeSet<ChainId>) -> Vec<DecimalChainId> {
    chains.iter().copied().map(DecimalChainId).collect()
}
