//! [`GapFiller`]: which missed blocks to ask for, and whether an answer is the block that was asked for.
//!
//! A block whose parent is not stored leaves a gap. The gap is filled downwards: each block is requested by
//! the parent hash of the one above, until a stored block is reached. Pure: requests and results are values.

use super::block_cache::BlockCache;
use crate::{Envelope, GossipForkTimes, UnixSeconds, rules::check_block};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Gaps wider than this are left to the execution client's own sync.
const MAX_GAP: u64 = 128;
/// How many gaps are filled at a time.
const MAX_OPEN_GAPS: usize = 4;
/// How many peers are asked for one block.
const MAX_ATTEMPTS: u32 = 3;

/// A block to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::network) struct BlockRequest {
    /// Its height.
    pub(in crate::network) number: u64,
    /// Its hash.
    pub(in crate::network) hash: B256,
    /// The timestamp of its child. Its own is not later; blocks may share a timestamp.
    pub(in crate::network) max_timestamp: UnixSeconds,
}

impl BlockRequest {
    /// Whether this is the block: by its fields, its hash, and every rule of a block.
    pub(in crate::network) fn is_answered_by(&self, envelope: &Envelope, forks: &GossipForkTimes) -> bool {
        let payload = &envelope.payload;
        payload.number == self.number
            && payload.block_hash == self.hash
            && payload.timestamp <= self.max_timestamp
            && check_block(envelope, forks).is_ok()
    }

    /// Whether this is a well-formed block of the same height, as a peer on another branch has.
    pub(in crate::network) fn is_other_block_at_height(
        &self,
        envelope: &Envelope,
        forks: &GossipForkTimes,
    ) -> bool {
        envelope.payload.number == self.number && check_block(envelope, forks).is_ok()
    }
}

/// A gap that is being filled.
#[derive(Clone, Copy, Debug)]
struct OpenGap {
    /// The height of the stored block below the gap.
    known_below: u64,
    attempts: u32,
}

/// The open gaps, by the block that is requested next in each.
#[derive(Debug, Default)]
pub(in crate::network) struct GapFiller {
    open_gaps: BTreeMap<BlockRequest, OpenGap>,
}

impl GapFiller {
    /// A block arrived. Returns the block to request if it leaves a gap.
    pub(in crate::network) fn on_block(
        &mut self,
        envelope: &Envelope,
        cache: &BlockCache,
    ) -> Option<BlockRequest> {
        let payload = &envelope.payload;
        let known_below = cache.highest_below(payload.number)?;
        self.request_parent(payload.number, payload.parent_hash, payload.timestamp, known_below, cache)
    }

    /// A peer did not have the block, or sent something else. Whether to ask another peer.
    pub(in crate::network) fn on_failure(&mut self, request: BlockRequest) -> bool {
        let Some(gap) = self.open_gaps.get_mut(&request) else { return false };
        gap.attempts = gap.attempts.saturating_add(1);
        let is_retried = gap.attempts < MAX_ATTEMPTS;
        if !is_retried {
            self.open_gaps.remove(&request);
        }
        is_retried
    }

    /// The requested block arrived. Returns the next block to request if the gap continues.
    pub(in crate::network) fn on_answer(
        &mut self,
        request: BlockRequest,
        envelope: &Envelope,
        cache: &BlockCache,
    ) -> Option<BlockRequest> {
        let gap = self.open_gaps.remove(&request)?;
        let payload = &envelope.payload;
        self.request_parent(payload.number, payload.parent_hash, payload.timestamp, gap.known_below, cache)
    }

    fn request_parent(
        &mut self,
        number: u64,
        parent_hash: B256,
        max_timestamp: UnixSeconds,
        known_below: u64,
        cache: &BlockCache,
    ) -> Option<BlockRequest> {
        let request = BlockRequest { number: number.checked_sub(1)?, hash: parent_hash, max_timestamp };
        let is_gap = request.number > known_below
            && request.number.saturating_sub(known_below) <= MAX_GAP
            && cache.hash_at(request.number) != Some(parent_hash);
        if !is_gap || self.open_gaps.len() >= MAX_OPEN_GAPS || self.open_gaps.contains_key(&request) {
            return None;
        }
        self.open_gaps.insert(request, OpenGap { known_below, attempts: 0 });
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayloadVersion, network::sync::payload_response::StoredBlock, sample};

    /// Blocks 1 to `count`, each the child of the one before.
    fn chain(count: u64) -> Vec<Envelope> {
        let mut parent = B256::ZERO;
        (1..=count)
            .map(|number| {
                let timestamp = UnixSeconds(sample::NOW.0 + 2 * number);
                let envelope = sample::envelope(number, |payload| {
                    payload.parent_hash = parent;
                    payload.timestamp = timestamp;
                });
                parent = envelope.payload.block_hash;
                envelope
            })
            .collect()
    }

    fn store(cache: &mut BlockCache, envelope: &Envelope) {
        let stored = StoredBlock {
            compressed: alloy_primitives::Bytes::new(),
            is_signed: false,
            version: PayloadVersion::V4,
        };
        cache.insert(envelope.payload.number, envelope.payload.block_hash, stored);
    }

    #[test]
    fn a_gap_is_filled_down_to_a_stored_block() {
        let (blocks, mut cache, mut filler) = (chain(6), BlockCache::default(), GapFiller::default());
        store(&mut cache, &blocks[1]);
        store(&mut cache, &blocks[5]);
        let mut request = filler.on_block(&blocks[5], &cache);
        let mut asked = Vec::new();
        while let Some(next) = request {
            let block = &blocks[usize::try_from(next.number).unwrap() - 1];
            assert!(next.is_answered_by(block, &GossipForkTimes::AT_GENESIS));
            store(&mut cache, block);
            asked.push(next.number);
            request = filler.on_answer(next, block, &cache);
        }
        assert_eq!(asked, [5, 4, 3]);
        assert!(filler.open_gaps.is_empty());
    }

    #[test]
    fn there_is_no_gap_above_the_parent_or_with_nothing_stored() {
        let (blocks, mut cache, mut filler) = (chain(3), BlockCache::default(), GapFiller::default());
        assert_eq!(filler.on_block(&blocks[2], &cache), None);
        store(&mut cache, &blocks[1]);
        assert_eq!(filler.on_block(&blocks[2], &cache), None);
    }

    #[test]
    fn a_gap_that_is_too_wide_is_not_filled() {
        let (mut cache, mut filler) = (BlockCache::default(), GapFiller::default());
        store(&mut cache, &sample::envelope(10, |_| ()));
        assert!(filler.on_block(&sample::envelope(11 + MAX_GAP, |_| ()), &cache).is_some());
        assert_eq!(filler.on_block(&sample::envelope(12 + MAX_GAP, |_| ()), &cache), None);
    }

    #[test]
    fn only_the_requested_block_answers_the_request() {
        let (blocks, mut cache, mut filler) = (chain(3), BlockCache::default(), GapFiller::default());
        store(&mut cache, &blocks[0]);
        let request = filler.on_block(&blocks[2], &cache).unwrap();
        assert!(request.is_answered_by(&blocks[1], &GossipForkTimes::AT_GENESIS));
        assert!(!request.is_answered_by(&blocks[0], &GossipForkTimes::AT_GENESIS), "another one");
        let mut forged = blocks[1].clone();
        forged.payload.gas_used += 1;
        assert!(
            !request.is_answered_by(&forged, &GossipForkTimes::AT_GENESIS),
            "its fields hash to something else"
        );
    }

    #[test]
    fn a_block_may_have_its_childs_timestamp() {
        let (mut blocks, mut cache, mut filler) = (chain(3), BlockCache::default(), GapFiller::default());
        store(&mut cache, &blocks[0]);
        blocks[2].payload.timestamp = blocks[1].payload.timestamp;
        blocks[2].payload.block_hash = blocks[2].payload.recompute_hash();
        let request = filler.on_block(&blocks[2], &cache).unwrap();
        assert!(request.is_answered_by(&blocks[1], &GossipForkTimes::AT_GENESIS));
    }

    #[test]
    fn a_request_is_sent_to_three_peers_and_then_given_up() {
        let (blocks, mut cache, mut filler) = (chain(3), BlockCache::default(), GapFiller::default());
        store(&mut cache, &blocks[0]);
        let request = filler.on_block(&blocks[2], &cache).unwrap();
        assert_eq!(filler.on_block(&blocks[2], &cache), None, "it is being asked for");
        assert_eq!(
            [filler.on_failure(request), filler.on_failure(request), filler.on_failure(request)],
            [true, true, false]
        );
        assert!(filler.open_gaps.is_empty());
    }
}
