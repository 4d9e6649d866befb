//! [`CrossChainLimits`]: how far the chains have come that a chain depends on. Pure.
//!
//! A block is cross-safe only when every chain that its messages may come from is derived up to its time, and
//! every message there is valid up to then: an invalid block is replaced, and all that rests on its
//! descendants with it. A block is final only when these chains are final up to its time.

use super::{Keep, L2Ref};
use crosscheck_p2p::ChainId;
use std::fmt;

/// How far one chain is, by the times of its blocks in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainTimes {
    /// The chain.
    pub chain_id: ChainId,
    /// Its local-safe head. `None`: it is not known.
    pub local_safe: Option<u64>,
    /// Up to this time every message of it is valid. `None`: its blocks have not been read yet.
    pub verified: Option<u64>,
    /// Its finalized head. `None`: it names none.
    pub finalized: Option<u64>,
}

/// Which head of a chain limits the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitingHead {
    /// Its local-safe head.
    LocalSafe,
    /// The highest block up to which every message of it is valid.
    Verified,
    /// Its finalized head.
    Finalized,
}

/// Up to when a chain may be served because of one that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimit {
    /// That time, in Unix seconds.
    pub time: u64,
    /// The chain that is no further.
    pub chain_id: ChainId,
    /// Which of its heads.
    pub head: LimitingHead,
}

/// Up to when the chains that a chain depends on are known. `None`: nothing limits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossChainLimits {
    /// Up to then all of them are derived, and their messages valid.
    pub safe: Option<HeadLimit>,
    /// Up to then they are final, too.
    pub finalized: Option<HeadLimit>,
}

impl LimitingHead {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalSafe => "local-safe",
            Self::Verified => "verified",
            Self::Finalized => "finalized",
        }
    }

    /// What an operator can check.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::LocalSafe => {
                "check that the batches of that chain are posted and that its rollup node and execution client are synced"
            }
            Self::Verified => {
                "see crosscheck_messages for its invalid or unknown message; if the block was replaced, its endpoints must be on the \
                 branch of the replacement"
            }
            Self::Finalized => {
                "check the finality of L1, and that the rollup node or execution client of that chain reports it"
            }
        }
    }
}

impl fmt::Display for LimitingHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalSafe => "local-safe head",
            Self::Verified => "highest block up to which every message is valid",
            Self::Finalized => "finalized head",
        })
    }
}

impl CrossChainLimits {
    /// The limits of the chain `own` that follow from its own messages and from the chains that it depends
    /// on. Its own derivation and finality are taken from the upstream.
    ///
    /// # Errors
    /// If it is not known how far one of them is.
    pub fn of(own: ChainId, chains: impl IntoIterator<Item = ChainTimes>) -> Result<Self, Keep> {
        let mut limits = Self::default();
        for ChainTimes { chain_id, local_safe, verified, finalized } in chains {
            let unknown = Keep::DependencyUnknown { chain_id };
            let at = |head, time| HeadLimit { time, chain_id, head };
            let mut heads = vec![at(LimitingHead::Verified, verified.ok_or_else(|| unknown.clone())?)];
            if chain_id != own {
                heads.push(at(LimitingHead::LocalSafe, local_safe.ok_or(unknown)?));
            }
            let safe = limits.safe.into_iter().chain(heads.iter().copied());
            limits.safe = safe.min_by_key(|limit| limit.time);
            if chain_id != own {
                // Nothing is final by a chain that names no final block.
                heads.push(at(LimitingHead::Finalized, finalized.unwrap_or(0)));
            }
            limits.finalized = limits.finalized.into_iter().chain(heads).min_by_key(|limit| limit.time);
        }
        Ok(limits)
    }
}

/// The height of the highest ancestor of a block that is not later than a time, itself included.
/// `block_time`: of the chain, in seconds.
pub(super) fn number_up_to(block: &L2Ref, time: u64, block_time: u64) -> u64 {
    let too_late = block.timestamp.saturating_sub(time);
    block.number.saturating_sub(too_late.div_ceil(block_time.max(1)))
}

#[cfg(test)]
mod tests {
    use super::LimitingHead::{Finalized, LocalSafe, Verified};
    use super::*;
    use crate::follow::sample::l2;
    use rstest::rstest;

    const OWN: u64 = 901;

    fn chain(id: u64, local_safe: Option<u64>, verified: Option<u64>, finalized: Option<u64>) -> ChainTimes {
        ChainTimes { chain_id: ChainId::from(id), local_safe, verified, finalized }
    }

    fn own(verified: Option<u64>) -> ChainTimes {
        chain(OWN, Some(1), verified, Some(1))
    }

    fn other(id: u64, [local_safe, verified, finalized]: [u64; 3]) -> ChainTimes {
        chain(id, Some(local_safe), Some(verified), Some(finalized))
    }

    fn limits(
        safe: (u64, u64, LimitingHead),
        finalized: (u64, u64, LimitingHead),
    ) -> Result<CrossChainLimits, Keep> {
        let limit = |(time, id, head)| Some(HeadLimit { time, chain_id: ChainId::from(id), head });
        Ok(CrossChainLimits { safe: limit(safe), finalized: limit(finalized) })
    }

    fn unknown(id: u64) -> Result<CrossChainLimits, Keep> {
        Err(Keep::DependencyUnknown { chain_id: ChainId::from(id) })
    }

    #[rstest]
    #[case::no_chain(vec![], Ok(CrossChainLimits::default()))]
    #[case::itself(vec![own(Some(70))], limits((70, 901, Verified), (70, 901, Verified)))]
    #[case::the_lowest_of_each(
        vec![own(Some(200)), other(902, [100, 120, 40]), other(903, [90, 120, 60])],
        limits((90, 903, LocalSafe), (40, 902, Finalized))
    )]
    #[case::an_invalid_message_of_another_chain(
        vec![own(Some(200)), other(902, [100, 50, 40]), other(903, [90, 120, 60])],
        limits((50, 902, Verified), (40, 902, Finalized))
    )]
    #[case::one_below_its_finalized_head(
        vec![own(Some(200)), other(902, [100, 30, 40]), other(903, [90, 120, 60])],
        limits((30, 902, Verified), (30, 902, Verified))
    )]
    #[case::one_of_the_chain_itself(
        vec![own(Some(20)), other(902, [100, 120, 40])],
        limits((20, 901, Verified), (20, 901, Verified))
    )]
    #[case::one_names_no_final_block(
        vec![own(Some(200)), chain(902, Some(100), Some(120), None), other(903, [90, 120, 60])],
        limits((90, 903, LocalSafe), (0, 902, Finalized))
    )]
    #[case::one_names_no_head(vec![own(Some(200)), other(902, [100, 120, 40]), chain(903, None, Some(120), None)], unknown(903))]
    #[case::one_is_not_read_yet(vec![own(Some(200)), chain(902, Some(100), None, Some(40))], unknown(902))]
    #[case::itself_is_not_read_yet(vec![own(None), other(902, [100, 120, 40])], unknown(901))]
    fn limits_are_those_of_the_chain_that_is_least_far(
        #[case] chains: Vec<ChainTimes>,
        #[case] expected: Result<CrossChainLimits, Keep>,
    ) {
        assert_eq!(CrossChainLimits::of(ChainId::from(OWN), chains), expected);
    }

    #[rstest]
    #[case::its_own_time(0, 0)]
    #[case::later(5, 0)]
    #[case::a_second_before(-1, 1)]
    #[case::one_block_before(-2, 1)]
    #[case::three_seconds_before(-3, 2)]
    fn the_highest_block_that_is_not_later(#[case] off: i64, #[case] below: u64) {
        let block = l2(20);
        let time = block.timestamp.checked_add_signed(off).unwrap();
        assert_eq!(number_up_to(&block, time, 2), 20 - below);
    }
}
