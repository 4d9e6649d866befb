//! [`linked_below`]: the ancestors of a block, fetched by height at once, and then linked by their hashes.
//!
//! The block at a height is only an endpoint's claim. That a block is the parent of the one above it is
//! proven: it has the hash that the other names. Blocks that are not linked are dropped, and the caller
//! continues by hash from there. It judges nothing.

use alloy::primitives::B256;
use crosscheck_core::proof::VerifiedBlock;
use futures::{StreamExt, stream};
use std::ops::RangeInclusive;

/// How many blocks of a gap are fetched in one run, the one that is known by its hash included.
pub(super) const MAX_RUN: u64 = 64;

/// What one run may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunLimits {
    /// How many blocks are asked for, or waited for with their answers in hand, at once.
    pub(super) at_once: usize,
    /// How many bytes of blocks end it.
    pub(super) bytes: usize,
}

/// The limits of every run.
pub(super) const RUN_LIMITS: RunLimits = RunLimits { at_once: 16, bytes: 16 << 20 };

/// A block of a chain, as far as it is linked to others.
pub(super) trait Link {
    /// Its hash.
    fn hash(&self) -> B256;
    /// The hash of its parent.
    fn parent(&self) -> B256;
    /// About how many bytes it takes.
    fn size(&self) -> usize;
}

impl Link for VerifiedBlock {
    fn hash(&self) -> B256 {
        self.hash()
    }

    fn parent(&self) -> B256 {
        self.header().parent_hash
    }

    fn size(&self) -> usize {
        self.bytes()
    }
}

/// The blocks at these heights, highest first, as far as they are linked up to the block whose hash is
/// `parent`: that of the highest of them. `fetch` gives any block of a height, or none.
///
/// The first is asked for alone: where it is another one the endpoints have another branch, and nothing else
/// is asked for.
pub(super) async fn linked_below<B: Link, F: Future<Output = Option<B>>>(
    mut parent: B256,
    heights: RangeInclusive<u64>,
    limits: RunLimits,
    fetch: impl Fn(u64) -> F,
) -> Vec<B> {
    let mut asked: Vec<F> = heights.map(fetch).collect();
    let Some(first) = asked.pop() else { return Vec::new() };
    let others = stream::iter(asked.into_iter().rev()).buffered(limits.at_once);
    let mut fetched = std::pin::pin!(stream::once(first).chain(others));
    let (mut run, mut bytes) = (Vec::new(), 0_usize);
    while let Some(Some(block)) = fetched.next().await {
        if block.hash() != parent {
            break;
        }
        parent = block.parent();
        bytes = bytes.saturating_add(block.size());
        run.push(block);
        if bytes >= limits.bytes {
            break;
        }
    }
    run
}

#[cfg(test)]
mod tests;
