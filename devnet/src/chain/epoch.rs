//! [`sequence_number`]: the place of a block in the epoch of its L1 origin, if that origin is allowed there.
//!
//! Spec: derivation.md, "L2 chain derivation". A block's origin is its parent's or the next L1 block, and is
//! not younger than the block.

use super::block::L2Block;
use crate::l1::L1Block;

/// An L1 block that cannot be the origin of the block that follows a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "L1 block {origin} (time {origin_time}) cannot be the origin of block {number} (time {time}): the parent's origin \
     is L1 block {parent_origin}, and an origin is the parent's or the next one, no younger than the block"
)]
pub struct OriginError {
    /// The height of the block.
    pub number: u64,
    /// The timestamp of the block.
    pub time: u64,
    /// The height of the origin that was given.
    pub origin: u64,
    /// The timestamp of the origin that was given.
    pub origin_time: u64,
    /// The height of the parent's origin.
    pub parent_origin: u64,
}

/// How many blocks of the epoch of `origin` come before the block that follows `parent` at `time`.
///
/// # Errors
/// When `origin` is not allowed there.
pub(crate) fn sequence_number(parent: &L2Block, origin: &L1Block, time: u64) -> Result<u64, OriginError> {
    let before = parent.l1_origin;
    let same = origin.id() == before;
    let next = origin.header.parent_hash == before.hash;
    if (same || next) && origin.header.timestamp <= time {
        return Ok(if same { parent.sequence_number.saturating_add(1) } else { 0 });
    }
    Err(OriginError {
        number: parent.number().saturating_add(1),
        time,
        origin: origin.number(),
        origin_time: origin.header.timestamp,
        parent_origin: before.number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, GENESIS_TIME};
    use crosscheck_p2p::UnixSeconds;
    use rstest::rstest;

    // The parent is block 1 at second 2, of the epoch of L1 block 1 at second 1; L1 blocks follow at seconds
    // 3 and 5.
    #[rstest]
    #[case::same_epoch(1, 4, Some(1))]
    #[case::next_epoch(2, 4, Some(0))]
    #[case::next_epoch_at_the_same_time(2, 3, Some(0))]
    #[case::younger_than_the_block(2, 2, None)]
    #[case::skips_an_l1_block(3, 6, None)]
    #[case::goes_back(0, 4, None)]
    fn epoch(#[case] origin: u64, #[case] second: u64, #[case] expected: Option<u64>) {
        let mut fixture = Fixture::new(7);
        fixture.l1.produce(UnixSeconds(GENESIS_TIME + 1)).unwrap();
        let parent = fixture.extend(&[]);
        assert_eq!((parent.l1_origin.number, parent.sequence_number), (1, 0));
        fixture.l1.produce(UnixSeconds(GENESIS_TIME + 3)).unwrap();
        fixture.l1.produce(UnixSeconds(GENESIS_TIME + 5)).unwrap();
        let origin = fixture.l1.block_by_number(origin).unwrap();
        assert_eq!(sequence_number(&parent, origin, GENESIS_TIME + second).ok(), expected);
    }

    #[test]
    fn an_l1_block_of_another_branch_is_not_an_origin() {
        let parent = Fixture::new(7).extend(&[]);
        let other = Fixture::new(8).l1.produce(UnixSeconds(GENESIS_TIME + 1)).unwrap();
        let refused = sequence_number(&parent, &other, GENESIS_TIME + 4).unwrap_err();
        assert_eq!((refused.number, refused.origin, refused.parent_origin), (2, 1, 0));
    }
}
