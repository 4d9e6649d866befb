//! [`Metering`]: the sequencer-defined metering that a block holds: a transaction of type 0x7D, which comes
//! with Lagoon.
//!
//! Encoding: 0x7D, then the RLP of its payload. At most one a block, the last, with the block's own number:
//! as op-alloy's `parse_post_exec_payload_from_transactions` has it. op-node takes the payload as it is and
//! kona reads it: what is no payload is read differently by the two, and so means nothing here.

use super::{Fork, Mismatch, RollupConfig};
use alloy::primitives::Bytes;
use core::fmt;
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{POST_EXEC_TX_TYPE_ID, PostExecPayload};

/// What of it a block holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// Nothing.
    #[default]
    None,
    /// One such transaction, the last, with this block number in it.
    Last {
        /// The number.
        block_number: u64,
    },
    /// One such transaction, the last, whose payload nodes read differently.
    Unreadable,
    /// One such transaction with others behind it.
    NotLast,
    /// Several such transactions.
    Several,
}

/// What is wrong with a block's metering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeteringProblem {
    /// It is from before Lagoon.
    BeforeLagoon,
    /// There are others behind it.
    NotLast,
    /// There are several.
    Several,
    /// It names another block.
    OtherBlock {
        /// The block's number.
        expected: u64,
        /// The number that it names.
        found: u64,
    },
}

impl fmt::Display for MeteringProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeLagoon => f.write_str("it is not allowed in a block before Lagoon"),
            Self::NotLast => f.write_str("it is not the last transaction"),
            Self::Several => f.write_str("there are several"),
            Self::OtherBlock { expected, found } => write!(f, "it is for block {found}, not {expected}"),
        }
    }
}

impl Metering {
    /// What of it encoded transactions hold.
    pub fn of(transactions: &[Bytes]) -> Self {
        let is_metering = |raw: &&Bytes| raw.first() == Some(&POST_EXEC_TX_TYPE_ID);
        match (transactions.iter().filter(is_metering).count(), transactions.last().filter(is_metering)) {
            (0, _) => Self::None,
            (1, Some(last)) => read(last)
                .map_or(Self::Unreadable, |payload| Self::Last { block_number: payload.block_number }),
            (1, None) => Self::NotLast,
            _ => Self::Several,
        }
    }

    /// Whether nodes read it differently, and so may make different blocks of one batch.
    pub const fn is_unreadable(self) -> bool {
        matches!(self, Self::Unreadable)
    }

    /// What is wrong with it in the block of this number and time.
    pub(super) fn mismatch(self, config: &RollupConfig, number: u64, time: UnixSeconds) -> Option<Mismatch> {
        let problem = match self {
            Self::None => return None,
            _ if !config.forks.is_active(Fork::Lagoon, time) => MeteringProblem::BeforeLagoon,
            Self::NotLast => MeteringProblem::NotLast,
            Self::Several => MeteringProblem::Several,
            Self::Last { block_number } if block_number != number => {
                MeteringProblem::OtherBlock { expected: number, found: block_number }
            }
            Self::Last { .. } | Self::Unreadable => return None,
        };
        Some(Mismatch::Metering { problem })
    }
}

/// The payload, if it is one to the byte.
fn read(raw: &Bytes) -> Option<PostExecPayload> {
    let encoded = raw.get(1..)?;
    let payload = PostExecPayload::from_rlp_bytes(encoded).ok()?;
    (payload.to_rlp_bytes().as_ref() == encoded).then_some(payload)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloy::eips::eip2718::Encodable2718;
    use op_alloy::consensus::{SDMGasEntry, TxPostExec};
    use rstest::rstest;

    /// Such a transaction for a block.
    pub(crate) fn metering(block_number: u64) -> Bytes {
        let gas_refund_entries = vec![SDMGasEntry { index: 1, gas_refund: 2500 }];
        let payload = PostExecPayload { version: 1, block_number, gas_refund_entries };
        TxPostExec::new(payload).encoded_2718().into()
    }

    fn with(last: &[u8]) -> Bytes {
        [&metering(7)[..], last].concat().into()
    }

    fn user() -> Bytes {
        Bytes::from_static(b"\x02 user")
    }

    /// To the byte as op-core's test has it: a list of version, number, and a list of entries.
    #[test]
    fn the_encoding() {
        assert_eq!(metering(42).as_ref(), [0x7d, 0xc8, 1, 42, 0xc5, 0xc4, 1, 0x82, 0x09, 0xc4]);
    }

    #[rstest]
    #[case::none(&[user()], Metering::None)]
    #[case::empty(&[], Metering::None)]
    #[case::last(&[user(), metering(7)], Metering::Last { block_number: 7 })]
    #[case::first(&[metering(7), user()], Metering::NotLast)]
    #[case::two(&[metering(7), metering(7)], Metering::Several)]
    #[case::no_payload(&[Bytes::from_static(&[0x7d])], Metering::Unreadable)]
    #[case::more_bytes(&[with(&[0])], Metering::Unreadable)]
    #[case::other_version(&[Bytes::from_static(&[0x7d, 0xc3, 2, 7, 0xc0])], Metering::Unreadable)]
    #[case::longer_number(&[Bytes::from_static(&[0x7d, 0xc5, 1, 0x82, 0, 7, 0xc0])], Metering::Unreadable)]
    #[case::no_entries(&[Bytes::from_static(&[0x7d, 0xc3, 1, 7, 0xc0])], Metering::Last { block_number: 7 })]
    fn of(#[case] transactions: &[Bytes], #[case] expected: Metering) {
        assert_eq!(Metering::of(transactions), expected);
    }
}
