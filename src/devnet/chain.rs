//! [`Chain`]: one L2 chain of the devnet, as a pure state machine: a block tree and a state per block.
//!
//! It builds and executes blocks, and knows which are canonical. It signs nothing, gossips nothing and reads no
//! clock; which block to build on which parent, and when, is the caller's choice.

use super::{
    block::L2Block,
    contracts::BytecodeError,
    executor::{self, ExecutorError},
    genesis,
    header::{self, HeaderError},
    l1::L1Block,
    l1_attributes::L1Attributes,
    state::WorldState,
};
use alloy::{
    consensus::transaction::{Recovered, SignerRecoverable},
    eips::{BlockNumHash, Decodable2718, Encodable2718},
    primitives::{Address, B256, Bytes, keccak256},
};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::OpTxEnvelope;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// How many heights below the highest block the states of blocks are kept: nothing can be built deeper.
pub const STATE_HISTORY: u64 = 256;

/// How many heights below the highest block blocks are kept. Genesis is always kept.
pub const BLOCK_HISTORY: u64 = 65_536;

/// How many ancestors BLOCKHASH reaches.
const BLOCKHASH_REACH: usize = 256;

/// What decides a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainParams {
    /// Its EIP-155 id.
    pub chain_id: u64,
    /// Seconds from block to block.
    pub block_time: u64,
    /// The timestamp of block 0.
    pub genesis_time: UnixSeconds,
    /// The L1 origin of block 0.
    pub l1_genesis: BlockNumHash,
    /// The gas limit of every block.
    pub gas_limit: u64,
    /// Its `SystemConfig` on L1.
    pub system_config: Address,
    /// Who posts its batches on L1.
    pub batcher: Address,
}

/// The output of a block, as a rollup node serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputRoot {
    /// The hash over the other three (version 0).
    pub output_root: B256,
    /// The block's state root.
    pub state_root: B256,
    /// The storage root of the `L2ToL1MessagePasser`.
    pub withdrawal_storage_root: B256,
    /// The block's hash.
    pub block_hash: B256,
}

/// Why a chain refused.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// Genesis cannot be made.
    #[error(transparent)]
    Genesis(#[from] BytecodeError),
    /// The tree holds no such block.
    #[error(
        "chain {chain_id} has no block {hash}: it never was, or lies more than {BLOCK_HISTORY} blocks back"
    )]
    UnknownBlock {
        /// The chain.
        chain_id: u64,
        /// The hash that was asked for.
        hash: B256,
    },
    /// The block's state is no longer kept.
    #[error(
        "chain {chain_id} no longer keeps the state of block {number}: only of the last {STATE_HISTORY} heights"
    )]
    StateGone {
        /// The chain.
        chain_id: u64,
        /// The block's height.
        number: u64,
    },
    /// The L1 origin may not follow the parent's.
    #[error(
        "L1 block {origin} cannot be the origin of block {number}: the parent's origin is {parent_origin}, and an \
         origin is the parent's or the next L1 block, no younger than the block itself"
    )]
    Origin {
        /// The block's height.
        number: u64,
        /// The height of the origin that was given.
        origin: u64,
        /// The height of the parent's origin.
        parent_origin: u64,
    },
    /// No header follows the parent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A user transaction that is no transaction a user can sign.
    #[error("user transaction {index} cannot stand in a block: {reason}")]
    Transaction {
        /// Its place among the user transactions.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The block could not be executed.
    #[error(transparent)]
    Execution(#[from] ExecutorError),
    /// The L1 attributes did not take effect.
    #[error("the L1-attributes transaction of block {number} failed: the L1Block contract refused it")]
    Attributes {
        /// The block's height.
        number: u64,
    },
    /// Block 0 derives from nothing.
    #[error("block 0 cannot be replaced: it derives from no attributes")]
    GenesisReplaced,
}

#[derive(Clone, Debug)]
struct Node {
    block: Arc<L2Block>,
    /// What the block derives from; genesis derives from nothing.
    origin: Option<Arc<L1Block>>,
}

/// The block tree of a chain, its states and its canonical branch.
#[derive(Clone, Debug)]
pub struct Chain {
    params: ChainParams,
    genesis: Arc<L2Block>,
    head: Arc<L2Block>,
    nodes: HashMap<B256, Node>,
    by_number: BTreeMap<u64, Vec<B256>>,
    states: HashMap<B256, WorldState>,
    canonical: BTreeMap<u64, Arc<L2Block>>,
}

impl Chain {
    /// The chain with its block 0, on which `accounts` own ether.
    ///
    /// # Errors
    /// When committed bytecode is damaged.
    pub fn new(params: ChainParams, accounts: &[Address]) -> Result<Self, ChainError> {
        let state = genesis::state(accounts)?;
        let block = Arc::new(genesis::block(&params, &state));
        let mut chain = Self {
            params,
            genesis: Arc::clone(&block),
            head: Arc::clone(&block),
            nodes: HashMap::new(),
            by_number: BTreeMap::new(),
            states: HashMap::new(),
            canonical: BTreeMap::from([(0, Arc::clone(&block))]),
        };
        chain.insert(Node { block, origin: None }, state);
        Ok(chain)
    }

    /// What it was made with.
    pub const fn params(&self) -> &ChainParams {
        &self.params
    }

    /// Block 0.
    pub const fn genesis(&self) -> &Arc<L2Block> {
        &self.genesis
    }

    /// The canonical head.
    pub const fn head(&self) -> &Arc<L2Block> {
        &self.head
    }

    /// The canonical block at a height.
    pub fn canonical(&self, number: u64) -> Option<&Arc<L2Block>> {
        self.canonical.get(&number)
    }

    /// The block with a hash, canonical or not.
    pub fn by_hash(&self, hash: B256) -> Option<&Arc<L2Block>> {
        self.nodes.get(&hash).map(|node| &node.block)
    }

    /// Builds, executes and keeps the block of these user transactions (EIP-2718 encoded, signed) on a parent.
    ///
    /// The canonical chain stays as it is. The same arguments give the same block; without user transactions the
    /// block is deposits-only.
    ///
    /// # Errors
    /// When the parent or its state is not there, the origin may not stand there, or a transaction is not valid
    /// (encoding, signature, nonce, funds, limits). A transaction that reverts is no error: it has a failed receipt.
    pub fn build(
        &mut self,
        parent: B256,
        origin: &L1Block,
        transactions: &[Bytes],
    ) -> Result<Arc<L2Block>, ChainError> {
        let parent = Arc::clone(&self.node(parent)?.block);
        let state = self.state(&parent)?;
        let draft = header::draft(&self.params, &parent.header, parent.hash, origin)?;
        let sequence_number = sequence_number(&parent, origin, draft.timestamp)?;
        let deposit = L1Attributes::new(origin, sequence_number, self.params.batcher).deposit();
        let recovered = recover(deposit.into(), transactions)?;
        let ancestors = self.ancestors(&parent);
        let execution = executor::execute(self.params.chain_id, &draft, state, &ancestors, &recovered)?;
        if !execution.receipts.first().is_some_and(|receipt| receipt.status()) {
            return Err(ChainError::Attributes { number: draft.number });
        }
        let transactions: Vec<_> = recovered.into_iter().map(Recovered::into_inner).collect();
        let header = header::seal(draft, &transactions, &execution);
        let block = Arc::new(L2Block {
            hash: header.hash_slow(),
            header,
            raw_transactions: transactions.iter().map(|tx| tx.encoded_2718().into()).collect(),
            transactions,
            receipts: execution.receipts,
            l1_origin: origin.id(),
            sequence_number,
        });
        let node = Node { block: Arc::clone(&block), origin: Some(Arc::new(origin.clone())) };
        self.insert(node, execution.state);
        Ok(block)
    }

    /// Makes a block the head: the canonical chain is then its ancestors and itself.
    ///
    /// # Errors
    /// When the tree holds no such block, or its branch leaves the canonical chain deeper than blocks are kept.
    pub fn adopt(&mut self, hash: B256) -> Result<(), ChainError> {
        let head = Arc::clone(&self.node(hash)?.block);
        let mut branch = Vec::new();
        let mut block = Arc::clone(&head);
        while self.canonical(block.number()).is_none_or(|canonical| canonical.hash != block.hash) {
            let parent = Arc::clone(&self.node(block.header.parent_hash)?.block);
            branch.push(core::mem::replace(&mut block, parent));
        }
        self.canonical.retain(|number, _| *number <= block.number());
        self.canonical.extend(branch.into_iter().map(|block| (block.number(), block)));
        self.head = head;
        Ok(())
    }

    /// An account's nonce after a block.
    ///
    /// # Errors
    /// When the block or its state is not there.
    pub fn nonce(&self, at: B256, account: Address) -> Result<u64, ChainError> {
        let block = &self.node(at)?.block;
        Ok(self.state(block)?.nonce(account))
    }

    /// The output of a block (version 0).
    pub fn output_root(&self, hash: B256) -> Option<OutputRoot> {
        let header = &self.by_hash(hash)?.header;
        let state_root = header.state_root;
        let withdrawal_storage_root = header.withdrawals_root?;
        let preimage = [B256::ZERO, state_root, withdrawal_storage_root, hash].concat();
        Some(OutputRoot {
            output_root: keccak256(preimage),
            state_root,
            withdrawal_storage_root,
            block_hash: hash,
        })
    }

    /// The replacement of a block: the same attributes on the same parent, with its deposits only.
    ///
    /// # Errors
    /// When the block or its parent's state is not there, or the block is genesis.
    pub fn deposits_only(&mut self, block: B256) -> Result<Arc<L2Block>, ChainError> {
        let node = self.node(block)?;
        let origin = node.origin.clone().ok_or(ChainError::GenesisReplaced)?;
        let parent = node.block.header.parent_hash;
        self.build(parent, &origin, &[])
    }

    fn node(&self, hash: B256) -> Result<&Node, ChainError> {
        self.nodes.get(&hash).ok_or(ChainError::UnknownBlock { chain_id: self.params.chain_id, hash })
    }

    fn state(&self, block: &L2Block) -> Result<&WorldState, ChainError> {
        let gone = ChainError::StateGone { chain_id: self.params.chain_id, number: block.number() };
        self.states.get(&block.hash).ok_or(gone)
    }

    fn ancestors(&self, parent: &Arc<L2Block>) -> BTreeMap<u64, B256> {
        core::iter::successors(Some(parent), |block| self.by_hash(block.header.parent_hash))
            .take(BLOCKHASH_REACH)
            .map(|block| (block.number(), block.hash))
            .collect()
    }

    fn insert(&mut self, node: Node, state: WorldState) {
        let (number, hash) = (node.block.number(), node.block.hash);
        if self.nodes.insert(hash, node).is_none() {
            self.by_number.entry(number).or_default().push(hash);
        }
        self.states.insert(hash, state);
        self.prune();
    }

    fn prune(&mut self) {
        let highest = self.by_number.last_key_value().map_or(0, |(number, _)| *number);
        if let Some(stale) = highest.checked_sub(STATE_HISTORY) {
            for hash in self.by_number.get(&stale).into_iter().flatten() {
                self.states.remove(hash);
            }
        }
        let stale = highest.checked_sub(BLOCK_HISTORY).filter(|number| *number > 0);
        if let Some((stale, hashes)) = stale.and_then(|number| self.by_number.remove_entry(&number)) {
            self.canonical.remove(&stale);
            for hash in hashes {
                self.nodes.remove(&hash);
            }
        }
    }
}

/// The place of the block after `parent` in its epoch, if `origin` may be its origin (derivation.md, "epoch").
fn sequence_number(parent: &L2Block, origin: &L1Block, timestamp: u64) -> Result<u64, ChainError> {
    let before = parent.l1_origin;
    let same = origin.id() == before;
    let next = origin.header.parent_hash == before.hash;
    if (same || next) && origin.header.timestamp <= timestamp {
        return Ok(if same { parent.sequence_number.saturating_add(1) } else { 0 });
    }
    Err(ChainError::Origin {
        number: parent.number().saturating_add(1),
        origin: origin.number(),
        parent_origin: before.number,
    })
}

/// The block's transactions with their senders: the deposit, then what users signed.
fn recover(
    deposit: OpTxEnvelope,
    transactions: &[Bytes],
) -> Result<Vec<Recovered<OpTxEnvelope>>, ChainError> {
    let refuse = |index, reason: String| ChainError::Transaction { index, reason };
    let mut recovered = Vec::with_capacity(transactions.len().saturating_add(1));
    let sender = deposit.recover_signer().map_err(|error| refuse(0, error.to_string()))?;
    recovered.push(Recovered::new_unchecked(deposit, sender));
    for (index, raw) in transactions.iter().enumerate() {
        let envelope =
            OpTxEnvelope::decode_2718_exact(raw).map_err(|error| refuse(index, error.to_string()))?;
        if matches!(envelope, OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_)) {
            return Err(refuse(index, format!("type {} is not signed by a user", envelope.tx_type())));
        }
        let sender = envelope.recover_signer().map_err(|error| refuse(index, error.to_string()))?;
        recovered.push(Recovered::new_unchecked(envelope, sender));
    }
    Ok(recovered)
}
