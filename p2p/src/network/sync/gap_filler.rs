//! [`GapFiller`]: which missed blocks to ask for, and whether an answer is the block that was asked for.
//!
//! A block whose parent is not the one known below it leaves a gap. The gap is walked downwards, each block by the
//! parent hash of the one above, until it meets what is known. Pure: requests and verdicts are values.

use super::recent_blocks::RecentBlocks;
use crate::{Envelope, ForkTimes, UnixSeconds, rules::check_block};
use alloy_primitives::B256;
use std::collections::BTreeMap;

/// Gaps wider than this are left to the execution client's own sync.
const MAX_GAP: u64 = 128;
/// Walks under way.
const MAX_WALKS: usize = 4;
/// Peers that are asked for one block.
const MAX_ATTEMPTS: u32 = 3;

/// A block to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::network) struct Wanted {
    /// Its height.
    pub(in crate::network) number: u64,
    /// Its hash.
    pub(in crate::network) hash: B256,
    /// Its child's time: its own is that at the latest, for blocks may share a timestamp.
    pub(in crate::network) at_latest: UnixSeconds,
}

impl Wanted {
    /// Whether this is the block: by its fields, its hash, and every rule of a block.
    pub(in crate::network) fn is_met_by(&self, envelope: &Envelope, forks: &ForkTimes) -> bool {
        let payload = &envelope.payload;
        payload.number == self.number
            && payload.block_hash == self.hash
            && payload.timestamp <= self.at_latest
            && check_block(envelope, forks).is_ok()
    }

    /// Whether this is a sound block of the same height, such as a peer has that follows another fork.
    pub(in crate::network) fn is_rivalled_by(&self, envelope: &Envelope, forks: &ForkTimes) -> bool {
        envelope.payload.number == self.number && check_block(envelope, forks).is_ok()
    }
}

/// A walk down one gap.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// What is known below: the walk ends above it.
    floor: u64,
    attempts: u32,
}

/// The walks.
#[derive(Debug, Default)]
pub(in crate::network) struct GapFiller {
    walks: BTreeMap<Wanted, Walk>,
}

impl GapFiller {
    /// A block arrived. The one to ask for, if it leaves a gap.
    pub(in crate::network) fn arrived(
        &mut self,
        envelope: &Envelope,
        recent: &RecentBlocks,
    ) -> Option<Wanted> {
        let payload = &envelope.payload;
        let floor = recent.below(payload.number)?;
        self.walk(payload.number, payload.parent_hash, payload.timestamp, floor, recent)
    }

    /// A peer did not have it, or sent something else. Whether to ask another one.
    pub(in crate::network) fn failed(&mut self, wanted: Wanted) -> bool {
        let Some(walk) = self.walks.get_mut(&wanted) else { return false };
        walk.attempts = walk.attempts.saturating_add(1);
        let goes_on = walk.attempts < MAX_ATTEMPTS;
        if !goes_on {
            self.walks.remove(&wanted);
        }
        goes_on
    }

    /// The block that was asked for has come. The next one to ask for, if the gap continues.
    pub(in crate::network) fn filled(
        &mut self,
        wanted: Wanted,
        envelope: &Envelope,
        recent: &RecentBlocks,
    ) -> Option<Wanted> {
        let walk = self.walks.remove(&wanted)?;
        let payload = &envelope.payload;
        self.walk(payload.number, payload.parent_hash, payload.timestamp, walk.floor, recent)
    }

    fn walk(
        &mut self,
        number: u64,
        parent_hash: B256,
        at_latest: UnixSeconds,
        floor: u64,
        recent: &RecentBlocks,
    ) -> Option<Wanted> {
        let wanted = Wanted { number: number.checked_sub(1)?, hash: parent_hash, at_latest };
        let is_gap = wanted.number > floor
            && wanted.number.saturating_sub(floor) <= MAX_GAP
            && recent.hash_at(wanted.number) != Some(parent_hash);
        if !is_gap || self.walks.len() >= MAX_WALKS || self.walks.contains_key(&wanted) {
            return None;
        }
        self.walks.insert(wanted, Walk { floor, attempts: 0 });
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PayloadVersion, network::sync::answer::Kept, sample};

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

    fn keep(recent: &mut RecentBlocks, envelope: &Envelope) {
        let kept = Kept {
            compressed: alloy_primitives::Bytes::new(),
            is_signed: false,
            version: PayloadVersion::V4,
        };
        recent.keep(envelope.payload.number, envelope.payload.block_hash, kept);
    }

    #[test]
    fn a_gap_is_walked_down_to_what_is_known() {
        let (blocks, mut recent, mut filler) = (chain(6), RecentBlocks::default(), GapFiller::default());
        keep(&mut recent, &blocks[1]);
        keep(&mut recent, &blocks[5]);
        let mut wanted = filler.arrived(&blocks[5], &recent);
        let mut asked = Vec::new();
        while let Some(next) = wanted {
            let block = &blocks[usize::try_from(next.number).unwrap() - 1];
            assert!(next.is_met_by(block, &ForkTimes::AT_GENESIS));
            keep(&mut recent, block);
            asked.push(next.number);
            wanted = filler.filled(next, block, &recent);
        }
        assert_eq!(asked, [5, 4, 3]);
        assert!(filler.walks.is_empty());
    }

    #[test]
    fn there_is_no_gap_after_the_parent_or_before_anything_is_known() {
        let (blocks, mut recent, mut filler) = (chain(3), RecentBlocks::default(), GapFiller::default());
        assert_eq!(filler.arrived(&blocks[2], &recent), None);
        keep(&mut recent, &blocks[1]);
        assert_eq!(filler.arrived(&blocks[2], &recent), None);
    }

    #[test]
    fn a_gap_too_wide_is_left() {
        let (mut recent, mut filler) = (RecentBlocks::default(), GapFiller::default());
        keep(&mut recent, &sample::envelope(10, |_| ()));
        assert!(filler.arrived(&sample::envelope(11 + MAX_GAP, |_| ()), &recent).is_some());
        assert_eq!(filler.arrived(&sample::envelope(12 + MAX_GAP, |_| ()), &recent), None);
    }

    #[test]
    fn only_the_block_itself_will_do() {
        let (blocks, mut recent, mut filler) = (chain(3), RecentBlocks::default(), GapFiller::default());
        keep(&mut recent, &blocks[0]);
        let wanted = filler.arrived(&blocks[2], &recent).unwrap();
        assert!(wanted.is_met_by(&blocks[1], &ForkTimes::AT_GENESIS));
        assert!(!wanted.is_met_by(&blocks[0], &ForkTimes::AT_GENESIS), "another one");
        let mut forged = blocks[1].clone();
        forged.payload.gas_used += 1;
        assert!(!wanted.is_met_by(&forged, &ForkTimes::AT_GENESIS), "its fields hash to something else");
    }

    #[test]
    fn a_block_may_have_its_childs_timestamp() {
        let (mut blocks, mut recent, mut filler) = (chain(3), RecentBlocks::default(), GapFiller::default());
        keep(&mut recent, &blocks[0]);
        blocks[2].payload.timestamp = blocks[1].payload.timestamp;
        blocks[2].payload.block_hash = blocks[2].payload.recompute_hash();
        let wanted = filler.arrived(&blocks[2], &recent).unwrap();
        assert!(wanted.is_met_by(&blocks[1], &ForkTimes::AT_GENESIS));
    }

    #[test]
    fn three_peers_are_asked_and_then_the_gap_is_left() {
        let (blocks, mut recent, mut filler) = (chain(3), RecentBlocks::default(), GapFiller::default());
        keep(&mut recent, &blocks[0]);
        let wanted = filler.arrived(&blocks[2], &recent).unwrap();
        assert_eq!(filler.arrived(&blocks[2], &recent), None, "it is being asked for");
        assert_eq!(
            [filler.failed(wanted), filler.failed(wanted), filler.failed(wanted)],
            [true, true, false]
        );
        assert!(filler.walks.is_empty());
    }
}
