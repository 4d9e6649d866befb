//! [`Cast`]: the blocks that have a part in a fault, and the logs that it plants in them at places known beforehand.
//!
//! Blocks of one timestamp cite each other before any of them is built, so what is planted depends on nothing but
//! where it stands: the same log each time the block is built.

use crate::contracts::EMITTER;
use crate::traffic::Intent;
use alloy::primitives::{B256, Bytes, LogData, keccak256};
use crosscheck_core::message::{Identifier, Message, payload_hash};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// One block with a part in a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub number: u64,
    /// The timestamp.
    pub timestamp: UnixSeconds,
    /// How many logs the block's deposits write: the index of the first log of a user. `None`: nobody knows yet, and
    /// nothing of the block can be cited.
    pub first_log: Option<u32>,
}

/// All blocks with a part in a fault, the fault's own first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cast {
    parts: Vec<Part>,
    own: usize,
}

impl Cast {
    /// These parts, seen from one of them.
    pub const fn new(parts: Vec<Part>, own: usize) -> Self {
        Self { parts, own }
    }

    /// The emission of the log that is planted in the block from which the cast is seen.
    pub fn emission(&self) -> Option<Intent> {
        let part = self.parts.get(self.own)?;
        Some(Intent::Emit { topics: vec![planted_topic(part)], data: planted_data(part) })
    }

    /// The message that the planted log of a part is, where it is the user log of this place: the first is 0.
    pub fn message(&self, part: usize, place: u32) -> Option<Message> {
        let part = self.parts.get(part)?;
        let log = LogData::new_unchecked(vec![planted_topic(part)], planted_data(part));
        let identifier = Identifier {
            origin: EMITTER,
            block_number: part.number,
            log_index: part.first_log?.saturating_add(place),
            timestamp: part.timestamp,
            chain_id: ChainId::from(part.chain_id),
        };
        Some(Message { identifier, payload_hash: payload_hash(&log) })
    }
}

fn planted_topic(part: &Part) -> B256 {
    keccak256([&b"planted"[..], &part.chain_id.to_be_bytes(), &part.number.to_be_bytes()].concat())
}

fn planted_data(part: &Part) -> Bytes {
    Bytes::copy_from_slice(planted_topic(part).as_slice())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Parts at block 30 of each of these chains, with two logs of deposits before those of users.
    pub(crate) fn cast(places: &[(u64, u64)], own: usize) -> Cast {
        let part = |(chain_id, number): &(u64, u64)| Part {
            chain_id: *chain_id,
            number: *number,
            timestamp: UnixSeconds(1_000 + 2 * number),
            first_log: Some(2),
        };
        Cast::new(places.iter().map(part).collect(), own)
    }

    #[test]
    fn the_message_is_the_log_that_the_emission_writes() {
        let cast = cast(&[(901, 30), (902, 29)], 1);
        let Some(Intent::Emit { topics, data }) = cast.emission() else { panic!() };
        let message = cast.message(1, 1).unwrap();
        assert_eq!(message.payload_hash, payload_hash(&LogData::new_unchecked(topics, data)));
        let id = message.identifier;
        assert_eq!((id.chain_id, id.block_number, id.log_index), (ChainId::from(902), 29, 3));
        assert_eq!(id.timestamp, UnixSeconds(1_058));
        assert_ne!(cast.message(0, 1).unwrap().payload_hash, message.payload_hash);
        assert_eq!(cast.message(2, 0), None);
    }
}
