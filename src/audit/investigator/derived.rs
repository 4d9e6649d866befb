//! Which block the chain has at the height of an attested one, and whether their branches split there.
//!
//! The chain is defined by the rollup node: the ancestors of its heads, by hash, regardless of what an
//! endpoint has at a height. A block is compared with another only where the two split: on the same parent,
//! and on L1 origins that L1 has. Anywhere else the difference belongs to its ancestor, or to L1.

use super::{Awaited, Cause, Investigator, Wait, output};
use crate::ledger::LedgerError;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::case::{DerivedBlock, Fact, Origin, VerdictKind};
use crosscheck_core::consolidation::BlockAttributes;
use crosscheck_core::heads::SafeMeans;
use crosscheck_core::message::BlockKey;
use crosscheck_core::proof::VerifiedBlock;
use crosscheck_p2p::ChainId;
use lru::LruCache;
use parking_lot::Mutex;
use std::num::NonZeroUsize;
use tracing::error;

/// How many blocks are remembered with their parents. Beyond it the one that was asked for longest ago is
/// forgotten.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(65_536) {
    Some(remembered) => remembered,
    None => NonZeroUsize::MIN,
};

/// How many blocks one check of a case fetches on the way down from a head. The next check continues from
/// there.
const MAX_STEPS: usize = 256;

/// The parents of blocks, by hash.
#[derive(Debug)]
pub(super) struct Lineage(Mutex<LruCache<B256, B256>>);

impl Default for Lineage {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

/// What became of the block that an attested one builds on, where the chain has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parent {
    /// It was found invalid.
    Wrong,
    /// Its branch was left permanently: L1 reorged out what it is built on.
    Left,
    /// It is upheld, on the branch that is vouched for.
    Upheld,
    /// It is under audit.
    Open,
    /// Nobody has seen it.
    Unknown,
}

/// What follows for a block whose parent is not the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parting {
    /// It may be checked against the chain's.
    Here,
    /// It went with its branch.
    Gone,
    /// It cannot be determined.
    Unknown,
}

impl Parent {
    /// `is_final`: the chain's block at the height is final, by a node that verifies messages.
    const fn parting(self, is_final: bool) -> Parting {
        match self {
            Self::Wrong => Parting::Here,
            Self::Left => Parting::Gone,
            // A block that no node has seen has no parent, once the chain can no longer reach it.
            Self::Unknown if is_final => Parting::Here,
            // L1 had what it is built on, and dropped it permanently.
            Self::Upheld if is_final => Parting::Gone,
            // A plain node may stay on the branch that was lawfully replaced.
            Self::Upheld | Self::Open | Self::Unknown => Parting::Unknown,
        }
    }
}

impl Investigator {
    /// What the chain has at the height of an attested block. The heads, and so the block, may be another
    /// node's than when this is done: it is an opinion of its own only if it was at the start.
    pub(super) async fn derived(&self, key: BlockKey, attributes: &BlockAttributes) -> Result<Fact, Wait> {
        let was_own = self.parts.heads.second_opinion(key.chain_id).covers(key.number);
        let derived = |block: VerifiedBlock| {
            let is_own = was_own && self.parts.heads.second_opinion(key.chain_id).covers(key.number);
            Ok(Fact::Derived(Box::new(DerivedBlock {
                hash: block.hash(),
                attributes: BlockAttributes::of_block(&block),
                output: output(&block),
                candidates: self.candidates.at(key.chain_id, key.number),
                is_second_hand: !is_own,
            })))
        };
        let block = self.local_safe_block(key.chain_id, key.number, Awaited::LocalSafe).await?;
        if block.hash() == key.hash {
            return derived(block);
        }
        let block = self.on_branch(key, block).await?;
        self.expect_one_reading(key, attributes, &block)?;
        if block.hash() == key.hash {
            return derived(block);
        }
        if let (Some(l1), Some(origin)) = (&self.parts.l1, attributes.l1_origin())
            && l1.is_dropped(key.chain_id, origin).await?
        {
            return Ok(Fact::OriginDropped(origin));
        }
        self.expect_current(key.chain_id).await?;
        if block.header().parent_hash == attributes.parent_hash {
            return derived(block);
        }
        match self.parting(key, attributes).await? {
            Parting::Here => derived(block),
            Parting::Gone => Ok(Fact::BranchLeft { parent: attributes.parent_hash }),
            Parting::Unknown => {
                let wait =
                    Wait { awaited: Awaited::LocalSafe, chain_id: key.chain_id, cause: Cause::OtherFork };
                let (number, parent) = (key.number, attributes.parent_hash);
                let own = block.header().parent_hash;
                self.reasons.note(
                    wait,
                    &format!(
                        "block {number} builds on {parent}, and its rollup node's chain has {own} there"
                    ),
                );
                Err(wait)
            }
        }
    }

    /// Waits if L1 has reorged out the block up to which the chain's node has read it: batches that the node
    /// has derived may be reorged out.
    async fn expect_current(&self, chain_id: ChainId) -> Result<(), Wait> {
        let (Some(l1), Some(current)) = (&self.parts.l1, self.parts.heads.current_l1(chain_id)) else {
            return Ok(());
        };
        if l1.origin(chain_id, current).await != Origin::Dropped {
            return Ok(());
        }
        let wait = Wait { awaited: Awaited::LocalSafe, chain_id, cause: Cause::OtherFork };
        let (number, hash) = (current.number, current.hash);
        self.reasons.note(
            wait,
            &format!("its rollup node has read L1 up to block {number} {hash}, which L1 reorged out"),
        );
        Err(wait)
    }

    /// That what the chain has at a block's height is final.
    pub(super) fn finality(&self, key: BlockKey) -> Result<Fact, Wait> {
        let finalized = self.parts.heads.get(key.chain_id).and_then(|heads| heads.finalized_l2);
        if finalized.is_some_and(|head| head.number >= key.number) {
            return Ok(Fact::Final);
        }
        let wait = Wait { awaited: Awaited::L1, chain_id: key.chain_id, cause: Cause::OtherFork };
        let number = key.number;
        self.reasons.note(
            wait,
            &format!("it may have correctly replaced another block {number}, and L1 now has a third one: waiting for that one to be final"),
        );
        Err(wait)
    }

    /// The block that the rollup node's local-safe chain has at a height, where an endpoint has this one.
    async fn on_branch(&self, key: BlockKey, found: VerifiedBlock) -> Result<VerifiedBlock, Wait> {
        let wait = |cause| Wait { awaited: Awaited::LocalSafe, chain_id: key.chain_id, cause };
        let hash = self.hash_on_branch(key.chain_id, key.number).await?;
        if hash == found.hash() {
            return Ok(found);
        }
        self.reasons.note(
            wait(Cause::OtherFork),
            &format!("an endpoint has {} at {}, the rollup node's chain {hash}", found.hash(), key.number),
        );
        let block = self.block_by_hash(key.chain_id, hash).await?.ok_or_else(|| wait(Cause::OtherFork))?;
        if let Some(l1) = &self.parts.l1 {
            l1.expect_canonical(key.chain_id, &block, Awaited::LocalSafe).await?;
        }
        Ok(block)
    }

    /// The hash at a height on the chain of the rollup node's local-safe head, found from parent to parent.
    pub(super) async fn hash_on_branch(&self, chain_id: ChainId, number: u64) -> Result<B256, Wait> {
        let wait = |cause| Wait { awaited: Awaited::LocalSafe, chain_id, cause };
        let heads = self.parts.heads.get(chain_id).ok_or_else(|| wait(Cause::EndpointError))?;
        let named = [heads.finalized_l2, heads.local_safe_l2].into_iter().flatten();
        let lowest = named.map(|head| head.position()).find(|head| head.number >= number);
        let lowest = lowest.ok_or_else(|| wait(Cause::NotYet))?;
        self.hash_below(chain_id, lowest, number).await
    }

    /// The hash at a height on the chain of this block, found from parent to parent.
    pub(super) async fn hash_below(
        &self,
        chain_id: ChainId,
        mut at: BlockNumHash,
        number: u64,
    ) -> Result<B256, Wait> {
        let wait = |cause| Wait { awaited: Awaited::LocalSafe, chain_id, cause };
        let mut steps = 0_usize;
        while at.number > number {
            let known = self.lineage.0.lock().get(&at.hash).copied();
            let parent = match known {
                Some(parent) => parent,
                None if steps >= MAX_STEPS => return Err(wait(Cause::NotYet)),
                None => {
                    steps = steps.saturating_add(1);
                    let block = self.block_by_hash(chain_id, at.hash).await?;
                    let parent = block.ok_or_else(|| wait(Cause::OtherFork))?.header().parent_hash;
                    self.lineage.0.lock().put(at.hash, parent);
                    parent
                }
            };
            at = BlockNumHash { number: at.number.saturating_sub(1), hash: parent };
        }
        Ok(at.hash)
    }

    async fn parting(&self, key: BlockKey, attributes: &BlockAttributes) -> Result<Parting, Wait> {
        let position = BlockNumHash { number: key.number.saturating_sub(1), hash: attributes.parent_hash };
        let parent = self.parent(key.chain_id, position).await.map_err(|error| {
            error!(chain_id = %key.chain_id, %error, "ledger lookup of a block's outcome failed");
            Wait { awaited: Awaited::LocalSafe, chain_id: key.chain_id, cause: Cause::EndpointError }
        })?;
        let finalized = self.parts.heads.get(key.chain_id).and_then(|heads| heads.finalized_l2);
        let is_final = self.parts.heads.safe_means_at(key.chain_id, attributes.timestamp)
            == SafeMeans::CrossSafe
            && finalized.is_some_and(|head| head.number >= key.number);
        Ok(parent.parting(is_final))
    }

    async fn parent(&self, chain_id: ChainId, parent: BlockNumHash) -> Result<Parent, LedgerError> {
        let Some(ledger) = &self.parts.ledger else { return Ok(Parent::Open) };
        if ledger.is_abandoned(chain_id, parent).await? {
            return Ok(Parent::Left);
        }
        let cases = ledger.cases_at(chain_id, parent.number).await?;
        let Some(case) = cases.into_iter().find(|case| case.hash == parent.hash) else {
            return Ok(Parent::Unknown);
        };
        Ok(match case.verdict {
            None => Parent::Open,
            Some(verdict) if verdict.kind.is_wrong() => Parent::Wrong,
            Some(verdict) if verdict.kind == VerdictKind::Superseded => Parent::Left,
            Some(_) => Parent::Upheld,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::the_child_of_an_invalid_block(Parent::Wrong, false, Parting::Here)]
    #[case::the_child_of_a_block_that_l1_dropped(Parent::Left, false, Parting::Gone)]
    #[case::the_child_of_a_block_that_l1_dropped_permanently(Parent::Left, true, Parting::Gone)]
    #[case::the_node_is_on_another_branch(Parent::Upheld, false, Parting::Unknown)]
    #[case::and_remains_permanently(Parent::Upheld, true, Parting::Gone)]
    #[case::the_parent_is_being_looked_at(Parent::Open, true, Parting::Unknown)]
    #[case::the_parent_is_not_seen_yet(Parent::Unknown, false, Parting::Unknown)]
    #[case::and_no_node_will(Parent::Unknown, true, Parting::Here)]
    fn where_branches_split(#[case] parent: Parent, #[case] is_final: bool, #[case] expected: Parting) {
        assert_eq!(parent.parting(is_final), expected);
    }
}
