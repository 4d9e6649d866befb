//! How far a follower serves the vouched head where nobody else has waited for the other chains: only as far
//! as those have come that its chain depends on.

use super::cross_chain::{ChainTimes, number_up_to};
use super::error::FollowError;
use super::limit_watch::Lowered;
use super::{CrossChainLimits, FinalLimit, Follower, Genesis, Keep, L2Ref};
use crate::ledger::{Passage, VouchedHead};
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::validity::Validity;
use crosscheck_p2p::ChainId;
use std::time::Duration;

/// How long a follower that has served nothing waits until the chains are read that it depends on.
const READ_WITHIN: Duration = Duration::from_secs(120);

/// The highest blocks that may be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    /// As safe.
    pub(super) safe: L2Ref,
    /// As final.
    pub(super) final_limit: FinalLimit,
}

impl Follower {
    /// How far the chains have come that this one depends on. Where an upstream or an attester has waited for
    /// them, there is no limit.
    ///
    /// # Errors
    /// If the ledger cannot be read. The inner error: it is not known how far one of them is.
    pub(super) async fn limits(&self) -> Result<Result<CrossChainLimits, Keep>, FollowError> {
        if !self.parts.waits_for_others {
            return Ok(Ok(CrossChainLimits::default()));
        }
        let mut chains = Vec::new();
        for chain_id in self.parts.set.reachable_from(self.parts.chain_id) {
            let status = self.parts.heads.get(chain_id);
            let local_safe = status.and_then(|status| status.local_safe_l2);
            let finalized = status.and_then(|status| status.finalized_l2).map(|head| head.timestamp.0);
            let awaited = local_safe.filter(|_| self.is_starting()).map_or(0, |head| head.number);
            let verified = self.verified_until(chain_id, awaited).await?;
            let local_safe = local_safe.map(|head| head.timestamp.0);
            chains.push(ChainTimes { chain_id, local_safe, verified, finalized });
        }
        Ok(CrossChainLimits::of(self.parts.chain_id, chains))
    }

    /// Whether the chains may still have to be read. What would be served meanwhile is below what an earlier
    /// run served.
    fn is_starting(&self) -> bool {
        self.parts.served.status(self.parts.chain_id).is_none()
            && self.kept_since.is_none_or(|since| since.elapsed() < READ_WITHIN)
    }

    /// Up to when every message of a chain is valid, or was resolved by an operator with its block. `None`:
    /// its blocks have not been read yet, or not up to the height `awaited`.
    async fn verified_until(&self, chain_id: ChainId, awaited: u64) -> Result<Option<u64>, FollowError> {
        let mut from = 0;
        loop {
            let (tip, stop) = {
                let tracker = self.parts.tracker.read();
                let Some(view) = tracker.chain(chain_id) else { return Ok(None) };
                let Some(tip) = view.tip().map(|tip| (tip.key.number, tip.timestamp.0)) else {
                    return Ok(None);
                };
                let stop = view.first_not_valid(from).map(|block| {
                    let is_unread = view.validity_of(block.key.number) == Some(Validity::Unknown);
                    (block.key, block.timestamp.0, is_unread)
                });
                (tip, stop)
            };
            let Some((key, timestamp, is_unread)) = stop else {
                return Ok((tip.0 >= awaited).then_some(tip.1));
            };
            let block = BlockNumHash { number: key.number, hash: key.hash };
            let passage = self.parts.ledger.passage(chain_id, block).await.map_err(FollowError::Ledger)?;
            match key.number.checked_add(1) {
                Some(next) if passage == Some(Passage::Resolved) => from = next,
                _ if is_unread && key.number <= awaited => return Ok(None),
                _ => return Ok(Some(timestamp.saturating_sub(1))),
            }
        }
    }

    /// The highest blocks that these limits allow. Before interop a chain depends on no other, and the last
    /// block before it is allowed by every limit.
    ///
    /// # Errors
    /// If such a block is not known, or how far another chain is.
    pub(super) async fn ceiling(
        &self,
        vouched: L2Ref,
        replaces: Option<B256>,
        limits: &Result<CrossChainLimits, Keep>,
        genesis: &Genesis,
    ) -> Result<Ceiling, FollowError> {
        let unlimited = Ceiling { safe: vouched, final_limit: FinalLimit::None };
        let Some(eve) = self.chain.map(|chain| chain.lagoon).filter(|it| it.is_active_at(vouched.timestamp))
        else {
            return Ok(unlimited);
        };
        let eve = eve.eve().unwrap_or(0);
        let CrossChainLimits { safe, finalized } = limits.clone()?;
        let lookup = |time: u64| self.ancestor(vouched, replaces, time.max(eve), genesis);
        let safe = match safe {
            Some(limit) => lookup(limit.time).await?,
            None => vouched,
        };
        let Some(finalized) = finalized.filter(|limit| limit.time.max(eve) < safe.timestamp) else {
            return Ok(Ceiling { safe, ..unlimited });
        };
        let final_limit = match lookup(finalized.time).await {
            Ok(block) => FinalLimit::At(block),
            // The safe head moves without it.
            Err(error) if error.is_source_failure() => FinalLimit::Unknown,
            Err(error) => return Err(error),
        };
        Ok(Ceiling { safe, final_limit })
    }

    /// The highest ancestor of the vouched head that is not later than a time.
    async fn ancestor(
        &self,
        vouched: L2Ref,
        replaces: Option<B256>,
        time: u64,
        genesis: &Genesis,
    ) -> Result<L2Ref, FollowError> {
        let number = number_up_to(&vouched, time, self.parts.block_time);
        if number == vouched.number {
            return Ok(vouched);
        }
        let unknown = || FollowError::from(Keep::DependencyBehind { number, vouched: vouched.number });
        let hash = self.parts.execution.canonical_hash(number).await?.ok_or_else(unknown)?;
        // Asked for afterwards: what the client has below it then is its ancestor. A block and what replaces
        // it have one parent.
        let canonical = self.parts.execution.canonical_hash(vouched.number).await?;
        let canonical =
            canonical.ok_or(FollowError::VouchedMissing { number: vouched.number, hash: vouched.hash })?;
        if canonical != vouched.hash && Some(canonical) != replaces {
            let (number, expected) = (vouched.number, vouched.hash);
            return Err(Keep::Elsewhere { number, canonical, expected }.into());
        }
        if !self.is_decided(BlockNumHash { number, hash }).await? {
            return Err(unknown());
        }
        let block = self.parts.execution.block_by_hash(hash).await?;
        let block = block.ok_or(FollowError::VouchedMissing { number, hash })?;
        let block = L2Ref::of_block(&block, genesis)?;
        if block.timestamp > time { Err(unknown()) } else { Ok(block) }
    }

    /// Whether the vouched head may have passed a block. What is not above the block that the audit began
    /// after was final then.
    async fn is_decided(&self, block: BlockNumHash) -> Result<bool, FollowError> {
        let (ledger, chain_id) = (&self.parts.ledger, self.parts.chain_id);
        let anchor = ledger.anchored_at(chain_id).await.map_err(FollowError::Ledger)?;
        match anchor {
            Some(anchor) if anchor.number == block.number => Ok(anchor.hash == block.hash),
            Some(anchor) if anchor.number > block.number => Ok(true),
            _ => Ok(ledger.passage(chain_id, block).await.map_err(FollowError::Ledger)?.is_some()),
        }
    }
}

impl Ceiling {
    /// Which of the served heads these limits lower. `finalized`: the upstream's.
    pub(super) fn lowered(
        &self,
        vouched: u64,
        finalized: Option<u64>,
        limits: &Result<CrossChainLimits, Keep>,
    ) -> Lowered {
        let limits = limits.as_ref().copied().unwrap_or_default();
        let safe = limits.safe.filter(|_| self.safe.number < vouched);
        let is_lower = match self.final_limit {
            FinalLimit::At(limit) => finalized.is_some_and(|finalized| limit.number < finalized),
            FinalLimit::None | FinalLimit::Unknown => false,
        };
        Lowered { safe, finalized: limits.finalized.filter(|_| is_lower) }
    }
}

/// What the vouched head replaces, if it is served itself.
pub(super) fn replaced_by(head: VouchedHead, served: &L2Ref) -> Option<B256> {
    head.replaces.filter(|_| head.position.number == served.number)
}

#[cfg(test)]
mod tests;
