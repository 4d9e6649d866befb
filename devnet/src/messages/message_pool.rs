//! [`MessagePool`]: the logs that traffic may cite as initiating messages.
//!
//! It holds cross-safe blocks only, and none at a height where a fault is scripted: a citation of what it
//! hands out stays valid under every script. It never holds more than [`KEPT_HEIGHTS`] heights.

use crate::chain::L2Block;
use crate::timing::{ACTIVATION_BLOCK, EXPIRY_BLOCKS};
use crosscheck_core::message::{Identifier, Message, payload_hash};
use crosscheck_p2p::{ChainId, UnixSeconds};
use std::collections::BTreeMap;

/// How many heights are kept: the expiry window, and enough beyond it to cite what has expired.
pub(crate) const KEPT_HEIGHTS: usize = 64;
/// The first height whose logs are messages.
const FIRST_CITABLE: u64 = ACTIVATION_BLOCK + 1;
/// Traffic keeps this many blocks clear of the expiry window's end.
const MARGIN_BLOCKS: u64 = 2;

/// Where a message is to be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExecutionSite {
    /// The executing chain.
    pub(crate) chain_id: u64,
    /// The height of the executing block.
    pub(crate) number: u64,
    /// The timestamp of the executing block.
    pub(crate) timestamp: UnixSeconds,
    /// The message expiry window, in seconds.
    pub(crate) expiry_window: u64,
}

/// The messages that one block initiated, by log index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitiatingBlock {
    /// The chain.
    pub chain_id: u64,
    /// The height.
    pub number: u64,
    /// The timestamp.
    pub timestamp: UnixSeconds,
    /// One message a log; the place in the list is the log index.
    pub messages: Vec<Message>,
}

impl InitiatingBlock {
    /// All logs of a block as messages.
    pub fn of(chain_id: u64, block: &L2Block) -> Self {
        let message = |(log_index, _, log): (u32, usize, &alloy::primitives::Log)| Message {
            identifier: Identifier {
                origin: log.address,
                block_number: block.number(),
                log_index,
                timestamp: block.timestamp(),
                chain_id: ChainId::from(chain_id),
            },
            payload_hash: payload_hash(&log.data),
        };
        let messages = block.logs().map(message).collect();
        Self { chain_id, number: block.number(), timestamp: block.timestamp(), messages }
    }
}

/// What may be cited, by height and chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessagePool {
    heights: BTreeMap<u64, BTreeMap<u64, InitiatingBlock>>,
}

impl MessagePool {
    /// Adds a block that became cross-safe. A block without logs is not kept.
    pub(crate) fn insert(&mut self, block: InitiatingBlock) {
        if block.messages.is_empty() {
            return;
        }
        self.heights.entry(block.number).or_default().insert(block.chain_id, block);
        while self.heights.len() > KEPT_HEIGHTS {
            self.heights.pop_first();
        }
    }

    /// A chain goes back to a height: its blocks above are removed.
    pub(crate) fn forget_above(&mut self, chain_id: u64, height: u64) {
        for (_, blocks) in self.heights.range_mut(height.saturating_add(1)..) {
            blocks.remove(&chain_id);
        }
        self.heights.retain(|_, blocks| !blocks.is_empty());
    }

    /// The blocks whose messages may validly execute at a site, oldest first.
    pub(crate) fn live(&self, site: &ExecutionSite) -> Vec<&InitiatingBlock> {
        let oldest =
            site.number.saturating_sub(EXPIRY_BLOCKS.saturating_sub(MARGIN_BLOCKS)).max(FIRST_CITABLE);
        self.heights.range(oldest..site.number.max(oldest)).flat_map(|(_, blocks)| blocks.values()).collect()
    }

    /// The blocks whose messages have expired at a site, oldest first.
    pub(crate) fn expired(&self, site: &ExecutionSite) -> Vec<&InitiatingBlock> {
        let age = |block: &InitiatingBlock| site.timestamp.0.saturating_sub(block.timestamp.0);
        let until = site.number.max(FIRST_CITABLE);
        let blocks = self.heights.range(FIRST_CITABLE..until).flat_map(|(_, blocks)| blocks.values());
        blocks.filter(|block| age(block) > site.expiry_window).collect()
    }

    /// The activation blocks of the chains: their logs initiate nothing.
    pub(crate) fn at_activation(&self) -> Vec<&InitiatingBlock> {
        self.heights.get(&ACTIVATION_BLOCK).into_iter().flat_map(BTreeMap::values).collect()
    }
}

/// The blocks of other chains; those of the executing chain only if there are no others.
pub(crate) fn prefer_remote<'a>(
    blocks: &[&'a InitiatingBlock],
    site: &ExecutionSite,
) -> Vec<&'a InitiatingBlock> {
    let remote: Vec<_> = blocks.iter().copied().filter(|block| block.chain_id != site.chain_id).collect();
    if remote.is_empty() { blocks.to_vec() } else { remote }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloy::primitives::{Address, keccak256};
    use crosscheck_core::proof::{ProvenLog, ProvenLogs};
    use crosscheck_core::validity::{DependencySet, Member};
    use rstest::rstest;

    const BLOCK_TIME: u64 = 2;

    /// The set that these blocks belong to.
    pub(crate) fn dependency_set(chains: &[u64]) -> DependencySet {
        let interop_time = UnixSeconds(1_000 + BLOCK_TIME * ACTIVATION_BLOCK);
        let member = Member { interop_time, block_time: BLOCK_TIME };
        let members = chains.iter().map(|chain_id| (ChainId::from(*chain_id), member)).collect();
        DependencySet::new(members, BLOCK_TIME * EXPIRY_BLOCKS)
    }

    /// The logs of a block of the pool as they are proven.
    pub(crate) fn proven(chain_id: ChainId, number: u64) -> ProvenLogs {
        let block = block(chain_id.as_u64().unwrap(), number, 3);
        let log = |message: &Message| ProvenLog {
            origin: message.identifier.origin,
            payload_hash: message.payload_hash,
        };
        let logs = block.messages.iter().map(log).collect();
        ProvenLogs::for_tests(chain_id, number, block.timestamp, logs)
    }

    pub(crate) fn block(chain_id: u64, number: u64, logs: u32) -> InitiatingBlock {
        let timestamp = UnixSeconds(1_000 + 2 * number);
        let message = |log_index| Message {
            identifier: Identifier {
                origin: Address::repeat_byte(0xee),
                block_number: number,
                log_index,
                timestamp,
                chain_id: ChainId::from(chain_id),
            },
            payload_hash: keccak256([chain_id, number, u64::from(log_index)].map(u64::to_be_bytes).concat()),
        };
        InitiatingBlock { chain_id, number, timestamp, messages: (0..logs).map(message).collect() }
    }

    pub(crate) fn site(chain_id: u64, number: u64) -> ExecutionSite {
        ExecutionSite { chain_id, number, timestamp: UnixSeconds(1_000 + 2 * number), expiry_window: 32 }
    }

    pub(crate) fn pool(chains: &[u64], heights: std::ops::RangeInclusive<u64>) -> MessagePool {
        let mut pool = MessagePool::default();
        for number in heights {
            for chain in chains {
                pool.insert(block(*chain, number, 3));
            }
        }
        pool
    }

    #[rstest]
    #[case::too_old(20, 5, false)]
    #[case::oldest(20, 6, true)]
    #[case::previous(20, 19, true)]
    #[case::same_height(20, 20, false)]
    #[case::later(20, 21, false)]
    #[case::first_after_the_activation(8, 3, true)]
    #[case::activation_block(8, 2, false)]
    fn live_blocks_are_older_and_well_within_the_window(
        #[case] at: u64,
        #[case] cited: u64,
        #[case] live: bool,
    ) {
        let pool = pool(&[901], cited..=cited);
        assert_eq!(!pool.live(&site(902, at)).is_empty(), live);
    }

    #[rstest]
    #[case::at_the_windows_end(19, 3, false)]
    #[case::one_block_later(20, 3, true)]
    #[case::initiated_nothing(30, 2, false)]
    fn expired_blocks_are_beyond_the_window(#[case] at: u64, #[case] cited: u64, #[case] expired: bool) {
        let pool = pool(&[901], cited..=cited);
        assert_eq!(!pool.expired(&site(902, at)).is_empty(), expired);
    }

    #[test]
    fn the_activation_blocks_are_known_apart() {
        let pool = pool(&[901, 902], 1..=9);
        assert!(pool.at_activation().iter().all(|block| block.number == ACTIVATION_BLOCK));
        assert_eq!(pool.at_activation().len(), 2);
    }

    #[test]
    fn other_chains_come_first_and_the_own_chain_is_the_last_resort() {
        let both = pool(&[901, 902], 4..=4);
        let remote = prefer_remote(&both.live(&site(901, 8)), &site(901, 8));
        assert!(remote.iter().all(|block| block.chain_id == 902));
        let own = pool(&[901], 4..=4);
        assert_eq!(prefer_remote(&own.live(&site(901, 8)), &site(901, 8)).len(), 1);
    }

    #[test]
    fn the_pool_is_bounded_and_forgets_the_oldest() {
        let pool = pool(&[901], 1..=(KEPT_HEIGHTS as u64 + 5));
        assert_eq!(pool.heights.len(), KEPT_HEIGHTS);
        assert_eq!(pool.heights.first_key_value().unwrap().0, &6);
    }
}
