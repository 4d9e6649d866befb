//! [`SafeRecord`]: what a rollup node's record of safe heads by L1 block says of the node.
//! [`RollupNode::safe_record`] asks.
//!
//! op-node writes an entry whenever it derives a block (`--safedb.path`). A node that follows a source writes
//! entries too, with L1 block 0 and an all-zero hash: it has derived nothing. A node that began with
//! execution-layer sync has no entry for what it took over then. This judges no block.

use super::{RollupNode, SafeHeadAtL1, SourceError, is_no_such_method};

/// What a node's record of safe heads by L1 block says of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeRecord {
    /// The node keeps none: nothing can be determined.
    None,
    /// Its newest entry names no L1 block: the node repeats that of the source that it follows.
    Repeated,
    /// It keeps one, and nothing is in it yet: the node has derived nothing so far.
    Empty,
    /// It has derived every block after this safe head: that of its oldest entry, or what it took from a
    /// source before it derived.
    Since(SafeHeadAtL1),
}

/// What the record has for one L1 block.
enum Entry {
    Found(SafeHeadAtL1),
    /// It keeps nothing for that block, or nothing that was derived.
    Missing,
    NoRecord,
}

impl RollupNode {
    /// What its record of safe heads says of it. `current_l1`: up to where it has read L1. It takes some 25
    /// requests: the record is searched for its oldest entry. It takes four if that is still the one that is
    /// `known`.
    ///
    /// # Errors
    /// If the node does not answer, or says neither that there is an entry nor that there is none.
    pub async fn safe_record(
        &self,
        current_l1: u64,
        known: Option<SafeHeadAtL1>,
    ) -> Result<SafeRecord, SourceError> {
        let newest = match self.safe_head_at_l1(current_l1).await {
            Ok(head) if head.is_repeated() => return Ok(SafeRecord::Repeated),
            newest => entry(newest)?,
        };
        let mut oldest = match newest {
            Entry::NoRecord => return Ok(SafeRecord::None),
            Entry::Missing => return Ok(SafeRecord::Empty),
            Entry::Found(head) => head,
        };
        let first = self.safe_head_at_l1(0).await;
        // What it took from a source is at L1 block 0, below all that it has derived at any time.
        let followed = first.as_ref().ok().filter(|head| head.is_repeated()).map(|head| head.safe_head);
        if followed.is_some_and(|followed| followed.number > oldest.safe_head.number) {
            return Ok(SafeRecord::Repeated);
        }
        // The entry for the genesis of L1 says that the node began at the genesis of its chain.
        if let Entry::Found(genesis) = entry(first)? {
            return Ok(SafeRecord::Since(genesis));
        }
        if let Some(known) = known.filter(|_| followed.is_none())
            && self.is_oldest(&known).await?
        {
            return Ok(SafeRecord::Since(known));
        }
        // There is nothing up to `below`, and something at `oldest`.
        let mut below = 0_u64;
        loop {
            let half = oldest.l1_block.number.saturating_sub(below) / 2;
            if half == 0 {
                let derived_after = followed.filter(|followed| followed.number > oldest.safe_head.number);
                let safe_head = derived_after.unwrap_or(oldest.safe_head);
                return Ok(SafeRecord::Since(SafeHeadAtL1 { safe_head, ..oldest }));
            }
            let middle = below.saturating_add(half);
            match entry(self.safe_head_at_l1(middle).await)? {
                Entry::Found(head) if head.l1_block.number > below => oldest = head,
                Entry::Found(_) | Entry::Missing => below = middle,
                Entry::NoRecord => return Ok(SafeRecord::None),
            }
        }
    }

    /// Whether this is an entry, and nothing comes before it.
    async fn is_oldest(&self, known: &SafeHeadAtL1) -> Result<bool, SourceError> {
        let number = known.l1_block.number;
        let Some(before) = number.checked_sub(1) else { return Ok(false) };
        let found = entry(self.safe_head_at_l1(number).await)?;
        let is_there = matches!(found, Entry::Found(found) if found == *known);
        Ok(is_there && matches!(entry(self.safe_head_at_l1(before).await)?, Entry::Missing))
    }
}

fn entry(answer: Result<SafeHeadAtL1, SourceError>) -> Result<Entry, SourceError> {
    match answer {
        Ok(head) if head.is_repeated() => Ok(Entry::Missing),
        Ok(head) => Ok(Entry::Found(head)),
        Err(error) if keeps_no_safe_heads(&error) => Ok(Entry::NoRecord),
        Err(SourceError::Refused { message, .. }) if message.contains("not found") => Ok(Entry::Missing),
        Err(error) => Err(error),
    }
}

/// Whether a node says by this that it keeps no record of safe heads by L1 block.
pub(crate) fn keeps_no_safe_heads(error: &SourceError) -> bool {
    let SourceError::Refused { message, .. } = error else { return false };
    message.contains("not enabled") || is_no_such_method(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::EndpointLimits;
    use crate::sources::scripted_node::{ScriptedNode, safe_head};
    use rstest::rstest;
    use std::collections::BTreeMap;
    use std::time::Duration;

    const LIMITS: EndpointLimits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 4096,
        max_concurrent_requests: 1,
    };

    /// By L1 block: the safe head.
    fn record<const N: usize>(entries: [(u64, u64); N]) -> Option<BTreeMap<u64, u64>> {
        Some(entries.into())
    }

    /// The oldest entry is of this L1 block, and this block was taken from a source.
    fn since(l1: u64, followed: u64) -> SafeRecord {
        let safe_head = safe_head(0, followed).safe_head;
        SafeRecord::Since(SafeHeadAtL1 { safe_head, ..super::super::scripted_node::safe_head(l1, 0) })
    }

    #[rstest]
    #[case::no_record(None, false, SafeRecord::None)]
    #[case::empty(record([]), false, SafeRecord::Empty)]
    #[case::nothing_so_far(record([(101, 9)]), false, SafeRecord::Empty)]
    #[case::from_genesis_on(record([(0, 0), (40, 3), (90, 9)]), false, SafeRecord::Since(safe_head(0, 0)))]
    #[case::synced(record([(40, 3), (41, 4), (90, 9)]), false, SafeRecord::Since(safe_head(40, 3)))]
    #[case::of_the_first_block(record([(1, 1), (90, 9)]), false, SafeRecord::Since(safe_head(1, 1)))]
    #[case::of_now(record([(100, 9)]), false, SafeRecord::Since(safe_head(100, 9)))]
    #[case::light(record([]), true, SafeRecord::Repeated)]
    #[case::light_before(record([(40, 3), (90, 9)]), true, since(40, 7))]
    #[case::light_before_all(record([(40, 8), (90, 9)]), true, SafeRecord::Since(safe_head(40, 8)))]
    #[case::light_now(record([(40, 3), (90, 6)]), true, SafeRecord::Repeated)]
    #[tokio::test]
    async fn a_safe_head_record_is_classified(
        #[case] safe_heads: Option<BTreeMap<u64, u64>>,
        #[case] repeats: bool,
        #[case] expected: SafeRecord,
    ) {
        let node = ScriptedNode::start(None).await;
        node.change(|conduct| (conduct.safe_heads, conduct.repeats) = (safe_heads, repeats));
        let client = RollupNode::new(node.url(), LIMITS).unwrap();
        assert_eq!(client.safe_record(100, None).await.unwrap(), expected);
        // What was known of another record misleads nobody.
        for known in [safe_head(40, 3), safe_head(41, 4), safe_head(90, 9), safe_head(0, 0)] {
            assert_eq!(client.safe_record(100, Some(known)).await.unwrap(), expected, "{known:?}");
        }
    }

    #[tokio::test]
    async fn a_node_that_does_not_answer_has_no_known_record() {
        let node = RollupNode::new("http://127.0.0.1:1".parse().unwrap(), LIMITS).unwrap();
        assert!(node.safe_record(100, None).await.is_err());
    }
}
