//! [`FaultBlocks`]: the blocks that are part of one fault, and the logs that it plants in them at places
//! known beforehand.
//!
//! Blocks of one timestamp cite each other before any of them is built, so a planted log depends only on its
//! place: it is the same each time the block is built.

use super::fault::ScriptedFault;
use crate::contracts::EMITTER;
use crate::messages::Intent;
use alloy::primitives::{B256, Bytes, LogData, keccak256};
use crosscheck_core::message::{Identifier, Message, payload_hash};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// Another block that is part of a fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Companion {
    /// What happens there.
    pub(super) fault: &'static ScriptedFault,
    /// Its chain: this many after the fault's own, in the order of their ids and around.
    pub(super) chain: usize,
    /// Its height.
    pub(super) block: u64,
}

/// One block that is part of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FaultBlock {
    /// The chain.
    pub(crate) chain_id: u64,
    /// The height.
    pub(crate) number: u64,
    /// The timestamp.
    pub(crate) timestamp: UnixSeconds,
    /// How many logs the block's deposits write: the index of the first log of a user. `None`: that is not
    /// known yet, and nothing of the block can be cited.
    pub(crate) first_log: Option<u32>,
}

/// All blocks that are part of a fault, the fault's own first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultBlocks {
    parts: Vec<FaultBlock>,
    own: usize,
}

impl FaultBlocks {
    /// These parts, as one of them sees them.
    pub(crate) const fn new(parts: Vec<FaultBlock>, own: usize) -> Self {
        Self { parts, own }
    }

    /// The emission of the log that is planted in the block that sees them.
    pub(crate) fn emission(&self) -> Option<Intent> {
        let part = self.parts.get(self.own)?;
        Some(Intent::Emit { topics: vec![planted_topic(part)], data: planted_data(part) })
    }

    /// The message that the planted log of a part is, where it is the user log of this place: the first is 0.
    pub(crate) fn message(&self, part: usize, place: u32) -> Option<Message> {
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

fn planted_topic(part: &FaultBlock) -> B256 {
    keccak256([&b"planted"[..], &part.chain_id.to_be_bytes(), &part.number.to_be_bytes()].concat())
}

fn planted_data(part: &FaultBlock) -> Bytes {
    Bytes::copy_from_slice(planted_topic(part).as_slice())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Parts at block 30 of each of these chains, with two logs of deposits before those of users.
    pub(crate) fn fault_blocks(places: &[(u64, u64)], own: usize) -> FaultBlocks {
        let part = |(chain_id, number): &(u64, u64)| FaultBlock {
            chain_id: *chain_id,
            number: *number,
            timestamp: UnixSeconds(1_000 + 2 * number),
            first_log: Some(2),
        };
        FaultBlocks::new(places.iter().map(part).collect(), own)
    }

    #[test]
    fn the_message_is_the_log_that_the_emission_writes() {
        let blocks = fault_blocks(&[(901, 30), (902, 29)], 1);
        let Some(Intent::Emit { topics, data }) = blocks.emission() else { panic!() };
        let message = blocks.message(1, 1).unwrap();
        assert_eq!(message.payload_hash, payload_hash(&LogData::new_unchecked(topics, data)));
        let id = message.identifier;
        assert_eq!((id.chain_id, id.block_number, id.log_index), (ChainId::from(902), 29, 3));
        assert_eq!(id.timestamp, UnixSeconds(1_058));
        assert_ne!(blocks.message(0, 1).unwrap().payload_hash, message.payload_hash);
        assert_eq!(blocks.message(2, 0), None);
    }
}
