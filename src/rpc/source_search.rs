//! [`first_including`]: the first L1 block whose safe head includes an L2 block, by binary search. Pure but
//! for the question, which the caller asks.
//!
//! A node's record is a step function: asked at an L1 height, it answers the last step at or below it. So the
//! first step that reaches the target is the answer, provided that the step before it is on record too: a
//! record that begins above the target (a node that was synced from a snapshot) proves nothing.

use super::SupervisorError;
use alloy::eips::BlockNumHash;
use std::ops::RangeInclusive;

/// The safe head that a node had with an L1 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SafeHead {
    /// The L1 block with which it became the safe head: at or below the one asked for.
    pub l1_block: BlockNumHash,
    /// The L2 block.
    pub safe_head: BlockNumHash,
}

/// Finds the first L1 block in `range` whose safe head is at or above `target`. `ask` answers `None` where
/// the record does not reach. `Ok(None)`: it cannot be determined.
///
/// # Errors
/// What `ask` fails with.
pub(super) async fn first_including<F>(
    range: RangeInclusive<u64>,
    target: u64,
    mut ask: impl FnMut(u64) -> F + Send,
) -> Result<Option<SafeHead>, SupervisorError>
where
    F: Future<Output = Result<Option<SafeHead>, SupervisorError>> + Send,
{
    let (mut low, mut high) = range.into_inner();
    let floor = low;
    let mut found = match ask(high).await? {
        Some(step) if step.safe_head.number >= target => step,
        _ => return Ok(None),
    };
    // The step that answers for `high` includes the target; one below `low` does not.
    high = high.min(found.l1_block.number.max(low));
    let mut before_is_known = false;
    while low < high {
        let middle = low.midpoint(high);
        match ask(middle).await? {
            Some(step) if step.safe_head.number >= target => {
                found = step;
                high = middle.min(step.l1_block.number.max(low));
            }
            step => {
                before_is_known = step.is_some();
                low = middle.saturating_add(1);
            }
        }
    }
    // No block can be derived from below the floor: its own L1 origin, or L1's first block.
    Ok(Some(found).filter(|found| before_is_known || found.l1_block.number == floor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use proptest::prelude::*;
    use rstest::rstest;

    fn block(number: u64) -> BlockNumHash {
        BlockNumHash { number, hash: B256::with_last_byte(u8::try_from(number % 251).unwrap()) }
    }

    /// A record with these steps (L1 height, safe head), answered as a node answers.
    async fn search(steps: &[(u64, u64)], range: RangeInclusive<u64>, target: u64) -> Option<(u64, u64)> {
        let ask = |at: u64| {
            let step = steps.iter().rev().find(|(l1, _)| *l1 <= at);
            let step = step.map(|(l1, l2)| SafeHead { l1_block: block(*l1), safe_head: block(*l2) });
            std::future::ready(Ok(step))
        };
        let found = first_including(range, target, ask).await.unwrap()?;
        Some((found.l1_block.number, found.safe_head.number))
    }

    #[rstest]
    #[case::middle_step(7, Some((14, 8)))]
    #[case::exactly_a_step(8, Some((14, 8)))]
    #[case::last_step(9, Some((18, 12)))]
    #[case::beyond_the_record(13, None)]
    #[case::before_the_record_begins(2, None)]
    #[tokio::test]
    async fn steps(#[case] target: u64, #[case] expected: Option<(u64, u64)>) {
        let steps = [(10, 5), (14, 8), (18, 12)];
        assert_eq!(search(&steps, 3..=30, target).await, expected);
    }

    #[tokio::test]
    async fn a_record_that_begins_at_the_floor_is_complete() {
        assert_eq!(search(&[(10, 5), (14, 8)], 10..=30, 5).await, Some((10, 5)));
    }

    proptest! {
        #[test]
        fn agrees_with_a_walk(
            gaps in proptest::collection::vec((1_u64..6, 1_u64..4), 1..12), floor in 0_u64..20, target in 0_u64..40
        ) {
            let mut steps = Vec::new();
            let (mut l1, mut l2) = (0, 0);
            for (up, along) in gaps {
                (l1, l2) = (l1 + up, l2 + along);
                steps.push((l1, l2));
            }
            let high = l1 + 3;
            prop_assume!(floor <= high);
            // Nothing is derived from below its own L1 origin: a step down there never includes the target.
            prop_assume!(steps.iter().all(|(l1, l2)| *l1 >= floor || *l2 < target));
            let first = steps.iter().position(|(_, l2)| *l2 >= target);
            let expected = first.filter(|place| *place > 0 || steps[0].0 == floor).map(|place| steps[place]);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let found = runtime.block_on(search(&steps, floor..=high, target));
            prop_assert_eq!(found, expected);
        }
    }
}
