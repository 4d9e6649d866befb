//! [`L1`]: the chain that the devnet's chains derive from, as a pure state machine.
//!
//! It has blocks with transactions, receipts and logs, finality by depth, reorgs, and the storage slots of
//! each chain's `SystemConfig` contract that readers of L1 ask for. It executes nothing: what a transaction
//! leaves comes with it.

use super::block::{L1Block, L1Transaction};
use super::state::L1State;
use super::system_config::SystemConfigContract;
use alloy::{
    consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS},
    eips::{
        BlockNumHash, BlockNumberOrTag,
        eip1559::{BaseFeeParams, calc_next_block_base_fee},
        eip7685::EMPTY_REQUESTS_HASH,
    },
    primitives::{Address, B256, Bytes, keccak256},
};
use crosscheck_p2p::UnixSeconds;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How many blocks are kept, unless it is configured to keep fewer; older ones answer as unknown.
pub(crate) const L1_HISTORY: u64 = 65_536;

const GAS_LIMIT: u64 = 36_000_000;
const GENESIS_BASE_FEE: u64 = 1_000_000_000;

/// What decides an L1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L1Params {
    /// The timestamp of block 0.
    pub genesis_time: UnixSeconds,
    /// Makes the randomness of its blocks differ from another L1's.
    pub seed: u64,
    /// How many blocks below the head the safe block is.
    pub safe_depth: u64,
    /// How many blocks below the head the finalized block is.
    pub finalized_depth: u64,
    /// Each chain's `SystemConfig` contract, by address, as it is at genesis.
    pub system_configs: BTreeMap<Address, SystemConfigContract>,
}

/// Why L1 refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum L1Error {
    /// A signer was set on a contract that is not there.
    #[error("L1 has no SystemConfig at {address}: name it in L1Params::system_configs")]
    NoSystemConfig {
        /// The address.
        address: Address,
    },
    /// Height or time would overflow.
    #[error("L1 cannot grow beyond block {number}: height or timestamp would overflow")]
    Overflow {
        /// The head's height.
        number: u64,
    },
}

/// The chain: blocks by number and hash, and the branch that it is on.
#[derive(Clone, Debug)]
pub struct L1 {
    params: L1Params,
    head: Arc<L1Block>,
    blocks: BTreeMap<u64, Arc<L1Block>>,
    /// Canonical blocks and orphans.
    by_hash: HashMap<B256, Arc<L1Block>>,
    /// What the next block's transactions find.
    pending: L1State,
    branch: u64,
    history: u64,
}

impl L1 {
    /// The chain with its genesis block.
    pub fn new(params: L1Params) -> Self {
        let pending = L1State { system_configs: params.system_configs.clone(), nonces: BTreeMap::new() };
        let header = Header {
            timestamp: params.genesis_time.0,
            base_fee_per_gas: Some(GENESIS_BASE_FEE),
            ..header_shape(0, params.seed, 0)
        };
        let head = L1Block::seal(header, Vec::new(), Arc::new(pending.clone()));
        let (blocks, by_hash) = (BTreeMap::new(), HashMap::new());
        let mut l1 = Self {
            params,
            head: Arc::clone(&head),
            blocks,
            by_hash,
            pending,
            branch: 0,
            history: L1_HISTORY,
        };
        l1.insert(head);
        l1
    }

    /// Keeps this many blocks from now on.
    pub const fn keep(&mut self, history: u64) {
        self.history = history;
    }

    /// What the transactions of the next block find.
    pub(crate) const fn pending(&self) -> &L1State {
        &self.pending
    }

    /// How often it has reorged.
    pub const fn branch(&self) -> u64 {
        self.branch
    }

    /// Appends an empty block at time `now`, or one second after the head if `now` is not later than the
    /// head.
    ///
    /// # Errors
    /// When height or time overflow.
    pub fn produce(&mut self, now: UnixSeconds) -> Result<Arc<L1Block>, L1Error> {
        self.produce_with(now, Vec::new())
    }

    /// Appends a block of these transactions, at the time that [`L1::produce`] would give it.
    ///
    /// # Errors
    /// When height or time overflow.
    pub(crate) fn produce_with(
        &mut self,
        now: UnixSeconds,
        body: Vec<L1Transaction>,
    ) -> Result<Arc<L1Block>, L1Error> {
        let parent = &self.head.header;
        let overflow = L1Error::Overflow { number: parent.number };
        let number = parent.number.checked_add(1).ok_or(overflow)?;
        let earliest = parent.timestamp.checked_add(1).ok_or(overflow)?;
        let base_fee = calc_next_block_base_fee(
            parent.gas_used,
            parent.gas_limit,
            parent.base_fee_per_gas.unwrap_or_default(),
            BaseFeeParams::ethereum(),
        );
        let header = Header {
            parent_hash: self.head.hash,
            timestamp: now.0.max(earliest),
            base_fee_per_gas: Some(base_fee),
            ..header_shape(number, self.params.seed, self.branch)
        };
        for transaction in &body {
            let nonce = self.pending.nonces.entry(transaction.from).or_default();
            *nonce = nonce.saturating_add(1);
            self.pending.system_configs.extend(transaction.sets);
        }
        let block = L1Block::seal(header, body, Arc::new(self.pending.clone()));
        self.insert(Arc::clone(&block));
        Ok(block)
    }

    /// Drops the newest blocks, `depth` of them, genesis excepted: what is produced next is another branch.
    /// The dropped ones are still found by their hashes.
    pub fn reorg(&mut self, depth: u64) {
        let number = self.head.number().saturating_sub(depth);
        if let Some(ancestor) = self.blocks.get(&number).cloned() {
            drop(self.blocks.split_off(&number.saturating_add(1)));
            self.pending = ancestor.state().clone();
            self.head = ancestor;
            self.branch = self.branch.saturating_add(1);
        }
    }

    /// Another L1 that shares all but its newest blocks, `depth` of them, with this one, and never meets it
    /// again.
    pub(crate) fn other_branch(&self, depth: u64) -> Self {
        const ELSEWHERE: u64 = 1 << 63;
        let mut other = self.clone();
        other.reorg(depth);
        other.branch |= ELSEWHERE;
        other
    }

    /// Changes a `SystemConfig` contract's unsafe block signer from the next block on.
    ///
    /// # Errors
    /// When there is no such contract.
    #[cfg(test)]
    pub(crate) fn set_unsafe_block_signer(
        &mut self,
        address: Address,
        signer: Address,
    ) -> Result<(), L1Error> {
        let config = self.pending.system_configs.get_mut(&address);
        config.ok_or(L1Error::NoSystemConfig { address })?.unsafe_block_signer = signer;
        Ok(())
    }

    /// The newest block.
    pub const fn head(&self) -> &Arc<L1Block> {
        &self.head
    }

    /// The block `safe_depth` below the head, genesis before that.
    pub fn safe(&self) -> &Arc<L1Block> {
        self.below_head(self.params.safe_depth)
    }

    /// The block `finalized_depth` below the head, genesis before that.
    pub fn finalized(&self) -> &Arc<L1Block> {
        self.below_head(self.params.finalized_depth)
    }

    /// The canonical block at a height.
    pub fn block_by_number(&self, number: u64) -> Option<&Arc<L1Block>> {
        self.blocks.get(&number)
    }

    /// The block with a hash, canonical or not.
    pub fn block_by_hash(&self, hash: B256) -> Option<&Arc<L1Block>> {
        self.by_hash.get(&hash)
    }

    /// The height of a tag.
    pub(crate) fn height_of(&self, tag: BlockNumberOrTag) -> u64 {
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => self.head.number(),
            BlockNumberOrTag::Safe => self.safe().number(),
            BlockNumberOrTag::Finalized => self.finalized().number(),
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Number(number) => number,
        }
    }

    /// The canonical block that holds a transaction, and the transaction's place in it.
    pub fn transaction(&self, hash: B256) -> Option<(&Arc<L1Block>, usize)> {
        self.blocks.values().rev().find_map(|block| {
            let place = block.transactions.iter().position(|(envelope, _)| *envelope.tx_hash() == hash)?;
            Some((block, place))
        })
    }

    /// Whether a block is built on the canonical chain.
    pub fn is_canonical(&self, id: BlockNumHash) -> bool {
        self.block_by_number(id.number).is_some_and(|block| block.hash == id.hash)
    }

    /// The storage word of an account after canonical block `number`: zero where nothing is stored, as in any
    /// account. `None` if there is no such block.
    #[cfg(test)]
    pub(crate) fn storage(&self, address: Address, slot: B256, number: u64) -> Option<B256> {
        Some(self.block_by_number(number)?.state().storage(address, slot))
    }

    fn below_head(&self, depth: u64) -> &Arc<L1Block> {
        self.blocks.get(&self.head.number().saturating_sub(depth)).unwrap_or(&self.head)
    }

    fn insert(&mut self, block: Arc<L1Block>) {
        if let Some(old) = block.number().checked_sub(self.history).filter(|old| *old > 0)
            && self.blocks.remove(&old).is_some()
        {
            self.by_hash.retain(|_, block| block.number() > old || block.number() == 0);
        }
        self.by_hash.insert(block.hash, Arc::clone(&block));
        self.blocks.insert(block.number(), Arc::clone(&block));
        self.head = block;
    }
}

/// The fields that every block of this L1 has alike, and those that only its height and the seed decide.
fn header_shape(number: u64, seed: u64, branch: u64) -> Header {
    Header {
        number,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        gas_limit: GAS_LIMIT,
        extra_data: Bytes::from_static(b"crosscheck devnet"),
        mix_hash: random_word("prevrandao", number, seed, branch),
        parent_beacon_block_root: Some(random_word("parent beacon block", number, seed, branch)),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}

fn random_word(purpose: &str, number: u64, seed: u64, branch: u64) -> B256 {
    let place = [seed, number, branch].map(u64::to_be_bytes).concat();
    keccak256([purpose.as_bytes(), &place].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::l1::system_config::{FeeScalars, UNSAFE_BLOCK_SIGNER_SLOT};

    const CONFIG: Address = Address::repeat_byte(0xc0);

    fn l1() -> L1 {
        let config = SystemConfigContract {
            unsafe_block_signer: Address::repeat_byte(1),
            batcher: Address::repeat_byte(2),
            scalars: FeeScalars::GENESIS,
        };
        L1::new(L1Params {
            genesis_time: UnixSeconds(1_000),
            seed: 7,
            safe_depth: 1,
            finalized_depth: 2,
            system_configs: BTreeMap::from([(CONFIG, config)]),
        })
    }

    #[test]
    fn blocks_are_linked_and_hash_to_their_names() {
        let mut l1 = l1();
        for number in 1..=5 {
            l1.produce(UnixSeconds(1_000 + 12 * number)).unwrap();
        }
        for number in 1..=5 {
            let block = l1.block_by_number(number).unwrap();
            assert_eq!(block.header.hash_slow(), block.hash);
            assert_eq!(block.header.parent_hash, l1.block_by_number(number - 1).unwrap().hash);
            assert_eq!(l1.block_by_hash(block.hash), Some(block));
            assert_eq!(block.timestamp(), UnixSeconds(1_000 + 12 * number));
        }
        assert_eq!((l1.head().number(), l1.safe().number(), l1.finalized().number()), (5, 4, 3));
        assert!(l1.block_by_number(6).is_none());
    }

    #[test]
    fn time_always_grows() {
        let mut l1 = l1();
        assert_eq!(l1.produce(UnixSeconds(0)).unwrap().timestamp(), UnixSeconds(1_001));
    }

    #[test]
    fn finality_starts_at_genesis() {
        let l1 = l1();
        assert_eq!((l1.safe().number(), l1.finalized().number()), (0, 0));
    }

    #[test]
    fn a_new_signer_is_valid_from_the_next_block_on() {
        let mut l1 = l1();
        l1.produce(UnixSeconds(1_012)).unwrap();
        l1.set_unsafe_block_signer(CONFIG, Address::repeat_byte(9)).unwrap();
        l1.produce(UnixSeconds(1_024)).unwrap();
        let signer = |number| l1.storage(CONFIG, UNSAFE_BLOCK_SIGNER_SLOT, number);
        assert_eq!(signer(1), Some(Address::repeat_byte(1).into_word()));
        assert_eq!(signer(2), Some(Address::repeat_byte(9).into_word()));
        assert_eq!(signer(3), None);
        assert_eq!(l1.storage(CONFIG, B256::ZERO, 1), Some(B256::ZERO));
        assert_eq!(l1.storage(Address::ZERO, UNSAFE_BLOCK_SIGNER_SLOT, 1), Some(B256::ZERO));
        let root = |number| l1.block_by_number(number).unwrap().header.state_root;
        assert_eq!(root(0), root(1));
        assert_ne!(root(1), root(2));
        let absent = Address::ZERO;
        assert_eq!(
            l1.set_unsafe_block_signer(absent, absent),
            Err(L1Error::NoSystemConfig { address: absent })
        );
    }

    #[test]
    fn a_reorg_drops_blocks_with_what_they_changed_and_others_follow() {
        let mut l1 = l1();
        l1.produce(UnixSeconds(1_012)).unwrap();
        l1.set_unsafe_block_signer(CONFIG, Address::repeat_byte(9)).unwrap();
        let dropped = [1_024, 1_036].map(|time| l1.produce(UnixSeconds(time)).unwrap());
        l1.reorg(2);
        assert_eq!((l1.head().number(), l1.branch()), (1, 1));
        let again = l1.produce(UnixSeconds(1_024)).unwrap();
        assert_eq!(again.header.parent_hash, dropped[0].header.parent_hash);
        assert_ne!((again.hash, again.header.mix_hash), (dropped[0].hash, dropped[0].header.mix_hash));
        assert_eq!(l1.block_by_hash(dropped[1].hash), Some(&dropped[1]));
        assert!(!l1.is_canonical(dropped[0].id()) && l1.is_canonical(again.id()));
        let signer = l1.storage(CONFIG, UNSAFE_BLOCK_SIGNER_SLOT, 2);
        assert_eq!(signer, Some(Address::repeat_byte(1).into_word()), "the change was dropped too");
        l1.reorg(9);
        assert_eq!(l1.head().number(), 0);
    }

    #[test]
    fn genesis_and_the_newest_blocks_are_kept() {
        let mut l1 = l1();
        l1.keep(10);
        let first = l1.produce(UnixSeconds(1_012)).unwrap();
        for number in 2..=100 {
            l1.produce(UnixSeconds(1_000 + 12 * number)).unwrap();
        }
        let known: Vec<u64> = (0..=100).filter(|number| l1.block_by_number(*number).is_some()).collect();
        assert_eq!(known, [vec![0], (91..=100).collect()].concat());
        assert_eq!((l1.by_hash.len(), l1.block_by_hash(first.hash)), (11, None));
    }

    #[test]
    fn the_seed_decides_the_hashes() {
        let other = L1::new(L1Params { seed: 8, ..l1().params });
        assert_eq!(l1().head().hash, l1().head().hash);
        assert_ne!(l1().head().hash, other.head().hash);
    }
}
