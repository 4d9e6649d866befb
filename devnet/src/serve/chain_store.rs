//! [`ChainStore`]: what a chain's nodes know: its blocks, canonical and orphaned, and how safe they are.
//!
//! It only keeps what it is given. It holds at most [`MAX_HEIGHTS`] heights, or as many as it is configured
//! to, and forgets the lowest beyond that, except genesis.

use crate::chain::L2Block;
use crate::simulation::{ChainHeads, ChainTick, Rewind, Withdrawal};
use alloy::{
    eips::{BlockId, BlockNumberOrTag},
    primitives::B256,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The most heights that are kept.
pub(super) const MAX_HEIGHTS: usize = 65_536;

/// The blocks of one chain.
#[derive(Clone, Debug)]
pub struct ChainStore {
    chain_id: u64,
    genesis: Arc<L2Block>,
    canonical: BTreeMap<u64, Arc<L2Block>>,
    /// All blocks by height, orphans too, so that a height is forgotten whole.
    heights: BTreeMap<u64, Vec<B256>>,
    blocks: HashMap<B256, Arc<L2Block>>,
    /// The place of a transaction: the block that included it last, and its index there.
    transactions: HashMap<B256, (B256, usize)>,
    heads: ChainHeads,
    /// Whether the rollup node has taken its heads back.
    is_withdrawn: bool,
    outage: bool,
    unknown_heads: bool,
    other_rules: bool,
    genesis_final: bool,
    /// The blocks that are served in place of the chain's own while the nodes are on another branch.
    other_branch: BTreeMap<u64, Arc<L2Block>>,
    /// What is at its height by number, in place of the chain's own block, under blocks that are built on
    /// that.
    unlinked: Vec<Arc<L2Block>>,
    /// How the execution client is rewound, if it is. The rollup node is stopped meanwhile.
    rewind: Option<Rewind>,
    /// Which cross-safe head an L1 block led to: the L1 height, and the chain's.
    safe_at: BTreeMap<u64, u64>,
    /// How many heights are kept.
    most: usize,
}

impl ChainStore {
    /// A chain that has its genesis block only.
    pub fn new(chain_id: u64, genesis: Arc<L2Block>) -> Self {
        let mut store = Self {
            chain_id,
            genesis: Arc::clone(&genesis),
            canonical: BTreeMap::new(),
            heights: BTreeMap::new(),
            blocks: HashMap::new(),
            transactions: HashMap::new(),
            heads: ChainHeads::default(),
            is_withdrawn: false,
            outage: false,
            unknown_heads: false,
            other_rules: false,
            genesis_final: false,
            other_branch: BTreeMap::new(),
            unlinked: Vec::new(),
            rewind: None,
            // As op-node records it: what begins at genesis has derived all that comes after.
            safe_at: BTreeMap::from([(0, genesis.number())]),
            most: MAX_HEIGHTS,
        };
        store.append(genesis);
        store
    }

    /// The same, which keeps this many heights.
    #[must_use]
    pub fn keeping(self, history: u64) -> Self {
        let most = usize::try_from(history).unwrap_or(usize::MAX).min(MAX_HEIGHTS);
        Self { most, ..self }
    }

    /// Takes in what the chain did in a tick.
    pub fn apply(&mut self, tick: &ChainTick) {
        for block in tick.replacement.iter().chain(&tick.built) {
            self.append(Arc::clone(block));
        }
        self.heads = tick.heads;
        self.is_withdrawn = matches!(tick.withdrawal, Some(Withdrawal::Withdrawn(_)));
        self.outage = tick.outage;
        self.unlinked.clone_from(&tick.unlinked);
        self.rewind.clone_from(&tick.rewind);
        self.unknown_heads = tick.unknown_heads;
        self.other_rules = tick.other_rules;
        self.genesis_final = tick.genesis_final;
        // L1 may have dropped what led there.
        while self.safe_at.last_key_value().is_some_and(|(_, height)| *height > tick.heads.safe) {
            self.safe_at.pop_last();
        }
        self.safe_at.extend(tick.safe_at.iter().copied());
        // The first entry says that the node began at genesis.
        while self.safe_at.len() > self.most
            && let Some(second) = self.safe_at.keys().nth(1).copied()
        {
            self.safe_at.remove(&second);
        }
        let other_branch = tick.other_branch.iter().flatten();
        self.other_branch = other_branch.map(|block| (block.number(), Arc::clone(block))).collect();
    }

    /// The chain's id.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The chain's first block.
    pub const fn genesis(&self) -> &Arc<L2Block> {
        &self.genesis
    }

    /// The heads.
    pub const fn heads(&self) -> ChainHeads {
        self.heads
    }

    /// The heads as the rollup node names them: while it withdraws one, all but the tip are at the final
    /// block. It may call genesis safe and final.
    pub(crate) fn named_heads(&self) -> ChainHeads {
        let ChainHeads { unsafe_head, local_safe, finalized, .. } = self.heads;
        if self.genesis_final {
            let genesis = self.genesis.number();
            ChainHeads { unsafe_head, local_safe, safe: genesis, finalized: genesis }
        } else if self.is_withdrawn {
            ChainHeads { unsafe_head, local_safe: finalized, safe: finalized, finalized }
        } else {
            self.heads
        }
    }

    /// The heads as the execution client labels them: while it is rewound to a sibling, it calls that one's
    /// parent final.
    pub fn labelled_heads(&self) -> ChainHeads {
        let ChainHeads { safe, finalized, .. } = self.heads;
        match &self.rewind {
            None => self.heads,
            Some(Rewind { kept, sibling: None }) => ChainHeads {
                unsafe_head: *kept,
                local_safe: *kept,
                safe: safe.min(*kept),
                finalized: finalized.min(*kept),
            },
            Some(Rewind { kept, sibling: Some(_) }) => {
                let below = kept.saturating_sub(1);
                ChainHeads { unsafe_head: *kept, local_safe: *kept, safe: below, finalized: below }
            }
        }
    }

    /// Whether the rollup node is stopped, because the execution client is rewound.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.rewind.is_some()
    }

    /// Whether the execution client answers errors.
    pub const fn is_out(&self) -> bool {
        self.outage
    }

    /// Whether the rollup node works by other rules than the chain.
    pub(crate) const fn is_under_other_rules(&self) -> bool {
        self.other_rules
    }

    /// Whether the rollup node names no heads.
    pub(crate) const fn is_headless(&self) -> bool {
        self.unknown_heads
    }

    /// The newest L1 height up to this one that led to another cross-safe head, and that head's height.
    pub(crate) fn safe_head_at(&self, l1_block: u64) -> Option<(u64, u64)> {
        self.safe_at.range(..=l1_block).next_back().map(|(l1_block, height)| (*l1_block, *height))
    }

    /// The first height at which the nodes are on another branch.
    fn forked_at(&self) -> Option<u64> {
        self.other_branch.first_key_value().map(|(number, _)| *number)
    }

    /// The canonical block of a height, as the nodes see it.
    pub fn canonical(&self, number: u64) -> Option<&Arc<L2Block>> {
        if self.forked_at().is_some_and(|first| first <= number) {
            return self.other_branch.get(&number);
        }
        if let Some(Rewind { kept, sibling }) = &self.rewind
            && *kept <= number
        {
            let block = sibling.as_ref().or_else(|| self.canonical.get(kept));
            return block.filter(|_| number == *kept);
        }
        if number == self.genesis.number() { Some(&self.genesis) } else { self.canonical.get(&number) }
    }

    /// The block of a hash, orphans too. Nodes on another branch do not have the blocks beside it.
    pub fn by_hash(&self, hash: B256) -> Option<&Arc<L2Block>> {
        let own = self.blocks.get(&hash);
        let own = own.filter(|block| self.forked_at().is_none_or(|first| block.number() < first));
        let sibling = self.rewind.iter().filter_map(|rewind| rewind.sibling.as_ref());
        let others = self.other_branch.values().chain(&self.unlinked).chain(sibling);
        own.or_else(|| others.into_iter().find(|block| block.hash == hash))
    }

    /// Whether a block is canonical.
    pub fn is_canonical(&self, block: &L2Block) -> bool {
        self.canonical(block.number()).is_some_and(|canonical| canonical.hash == block.hash)
    }

    /// The height of a tag.
    pub(crate) fn height_of(&self, tag: BlockNumberOrTag) -> u64 {
        let heads = self.labelled_heads();
        match tag {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => heads.unsafe_head,
            BlockNumberOrTag::Safe => heads.safe,
            BlockNumberOrTag::Finalized => heads.finalized,
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Number(number) => number,
        }
    }

    /// The block of an id (EIP-1898: `requireCanonical` leaves orphans out).
    pub fn block(&self, id: BlockId) -> Option<&Arc<L2Block>> {
        match id {
            BlockId::Number(tag) => {
                let number = self.height_of(tag);
                let unlinked = self.unlinked.iter().find(|block| block.number() == number);
                unlinked.or_else(|| self.canonical(number))
            }
            BlockId::Hash(id) => {
                let block = self.by_hash(id.block_hash)?;
                (id.require_canonical != Some(true) || self.is_canonical(block)).then_some(block)
            }
        }
    }

    /// The canonical block that holds a transaction, and the transaction's place in it.
    pub fn transaction(&self, hash: B256) -> Option<(&Arc<L2Block>, usize)> {
        let (block, index) = self.transactions.get(&hash)?;
        let block = self.by_hash(*block).filter(|block| self.is_canonical(block))?;
        Some((block, *index))
    }

    /// A new canonical head. What was canonical at its height and above is orphaned, and still found by hash.
    fn append(&mut self, block: Arc<L2Block>) {
        let number = block.number();
        self.canonical.split_off(&number);
        for (index, transaction) in block.transactions.iter().enumerate() {
            self.transactions.insert(transaction.tx_hash(), (block.hash, index));
        }
        self.heights.entry(number).or_default().push(block.hash);
        self.blocks.insert(block.hash, Arc::clone(&block));
        self.canonical.insert(number, block);
        self.forget();
    }

    fn forget(&mut self) {
        while self.heights.len() > self.most {
            let Some((number, hashes)) = self.heights.pop_first() else { return };
            self.canonical.remove(&number);
            for hash in hashes.into_iter().filter(|hash| *hash != self.genesis.hash) {
                let forgotten = self.blocks.remove(&hash);
                for transaction in forgotten.iter().flat_map(|block| &block.transactions) {
                    self.transactions.remove(&transaction.tx_hash());
                }
            }
        }
    }
}
