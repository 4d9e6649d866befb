//! [`Chain`]: one L2 chain of the devnet, as a pure state machine.
//!
//! It builds and executes blocks, and knows which are canonical. It signs nothing, gossips nothing and reads
//! no clock; which block to build on which parent, and when, is the caller's choice.

use super::block::L2Block;
use super::block_tree::{BlockTree, TreeError};
use super::chain_params::ChainParams;
use super::epoch::{OriginError, sequence_number};
use super::executor::ExecutorError;
use super::header::HeaderError;
use super::state::WorldState;
use super::user_transaction::UserTransactionError;
use super::{executor, genesis, header, user_transaction};
use crate::contracts::{BytecodeError, Inbox};
use crate::l1::{L1Attributes, L1Block};
use alloy::{
    consensus::transaction::Recovered,
    eips::Encodable2718,
    primitives::{Address, B256, Bytes},
};
use crosscheck_core::message::CROSS_L2_INBOX;
use op_alloy::consensus::{OpReceiptEnvelope, OpTxEnvelope, OpTxType, TxDeposit, build_post_exec_tx};
use std::sync::Arc;

/// How many ancestors BLOCKHASH reaches.
const BLOCKHASH_REACH: usize = 256;

/// How a block departs from what its attributes say. By default not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOverrides {
    /// Deposits that L1 never had, after those that it has.
    pub forged: Vec<TxDeposit>,
    /// Another minimum base fee in the extra data, wei.
    pub min_base_fee: Option<u64>,
    /// Whether its last transaction is one of sequencer-defined metering (0x7D), which gives no gas back. The
    /// sequencer is free to add it from Lagoon on.
    pub is_metered: bool,
}

/// The output of a block, as a rollup node serves it.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputRoot {
    /// The hash over the other three (version 0).
    pub(crate) output_root: B256,
    /// The block's state root.
    pub(crate) state_root: B256,
    /// The storage root of the `L2ToL1MessagePasser`.
    pub(crate) withdrawal_storage_root: B256,
    /// The block's hash.
    pub(crate) block_hash: B256,
}

/// Why a chain refused.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// Genesis cannot be made.
    #[error(transparent)]
    Genesis(#[from] BytecodeError),
    /// A block or its state is not there.
    #[error("chain {chain_id}: {source}")]
    Tree {
        /// The chain.
        chain_id: u64,
        /// What is missing.
        source: TreeError,
    },
    /// The L1 origin is not allowed there.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// L1 does not know the chain's configuration.
    #[error("L1 block {origin} has no SystemConfig at {address}: name it in L1Params::system_configs")]
    NoSystemConfig {
        /// The address.
        address: Address,
        /// The height of the L1 block.
        origin: u64,
    },
    /// No header follows the parent.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Bytes that are no transaction which a user signed.
    #[error(transparent)]
    Transaction(#[from] UserTransactionError),
    /// The block could not be executed.
    #[error(transparent)]
    BlockExecution(#[from] ExecutorError),
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

/// A chain: its parameters, its blocks and their states.
#[derive(Clone, Debug)]
pub struct Chain {
    params: ChainParams,
    tree: BlockTree,
}

impl Chain {
    /// The chain with its block 0, on which `accounts` own ether.
    ///
    /// # Errors
    /// When committed bytecode is damaged.
    pub fn new(params: ChainParams, accounts: &[Address]) -> Result<Self, ChainError> {
        Self::with_inbox(params, accounts, Inbox::Guarded)
    }

    /// As [`Chain::new`], with this inbox.
    ///
    /// # Errors
    /// When committed bytecode is damaged.
    pub(crate) fn with_inbox(
        params: ChainParams,
        accounts: &[Address],
        inbox: Inbox,
    ) -> Result<Self, ChainError> {
        let mut state = genesis::state(accounts)?;
        if let Some(code) = inbox.replacement() {
            state.deploy(CROSS_L2_INBOX, code);
        }
        let genesis = genesis::block(&params, &state);
        Ok(Self { params, tree: BlockTree::new(Arc::new(genesis), state) })
    }

    /// Keeps blocks for this many heights from now on.
    pub fn keep(&mut self, history: u64) {
        self.tree.keep(history);
    }

    /// What it was made with.
    pub const fn params(&self) -> &ChainParams {
        &self.params
    }

    /// Its first block.
    pub const fn genesis(&self) -> &Arc<L2Block> {
        self.tree.genesis()
    }

    /// The canonical head.
    pub const fn head(&self) -> &Arc<L2Block> {
        self.tree.head()
    }

    /// The canonical block at a height.
    pub fn canonical(&self, number: u64) -> Option<&Arc<L2Block>> {
        self.tree.canonical(number)
    }

    /// The block with a hash, canonical or not.
    pub fn by_hash(&self, hash: B256) -> Option<&Arc<L2Block>> {
        self.tree.get(hash)
    }

    /// Builds, executes and keeps the block of these user transactions (EIP-2718 encoded, signed) on a
    /// parent.
    ///
    /// The canonical chain stays as it is. The same arguments give the same block; without user transactions
    /// the block is deposits-only.
    ///
    /// # Errors
    /// When the parent or its state is not there, the origin is not allowed there, or a transaction is not
    /// valid (encoding, signature, nonce, funds, limits). A transaction that reverts is not an error: it has
    /// a failed receipt.
    pub fn build(
        &mut self,
        parent: B256,
        origin: &L1Block,
        transactions: &[Bytes],
    ) -> Result<Arc<L2Block>, ChainError> {
        self.build_with(parent, origin, transactions, &BlockOverrides::default())
    }

    /// Builds, executes and keeps a block as [`Chain::build`] does, but for where it departs from its
    /// attributes.
    ///
    /// # Errors
    /// As [`Chain::build`].
    pub fn build_with(
        &mut self,
        parent: B256,
        origin: &L1Block,
        transactions: &[Bytes],
        overrides: &BlockOverrides,
    ) -> Result<Arc<L2Block>, ChainError> {
        let state = self.state(parent)?;
        let parent = self.block(parent)?;
        let mut draft = header::draft(&self.params, &parent.header, parent.hash, origin)?;
        if let Some(minimum) = overrides.min_base_fee {
            draft.extra_data = header::extra_data(minimum);
        }
        let sequence_number = sequence_number(parent, origin, draft.timestamp)?;
        let mut deposits = self.deposits(origin, sequence_number)?;
        if let Some(upgrade) = self.params.upgrade_at(draft.timestamp) {
            deposits.extend(upgrade.deposits.iter().cloned());
        }
        deposits.extend(overrides.forged.iter().cloned());
        let recovered = recover(deposits, transactions)?;
        let ancestors = self.tree.lineage(parent.hash, BLOCKHASH_REACH);
        let mut execution = executor::execute(self.params.chain_id, &draft, state, &ancestors, &recovered)?;
        if !execution.receipts.first().is_some_and(|receipt| receipt.status()) {
            return Err(ChainError::Attributes { number: draft.number });
        }
        let (mut transactions, mut senders): (Vec<_>, Vec<_>) =
            recovered.into_iter().map(Recovered::into_parts).unzip();
        if overrides.is_metered {
            let (metering, receipt) = metering(draft.number, execution.gas_used);
            transactions.push(metering);
            senders.push(Address::ZERO);
            execution.receipts.push(receipt);
        }
        let header = header::seal(draft, &transactions, &execution);
        let block = Arc::new(L2Block {
            hash: header.hash_slow(),
            header,
            raw_transactions: transactions.iter().map(|tx| tx.encoded_2718().into()).collect(),
            transactions,
            senders,
            receipts: execution.receipts,
            l1_origin: origin.id(),
            sequence_number,
        });
        self.tree.insert(Arc::clone(&block), Arc::new(origin.clone()), execution.state);
        Ok(block)
    }

    /// What a block must begin with: the attributes of its origin and, if it is the first of the epoch, what
    /// users deposited in that L1 block.
    fn deposits(&self, origin: &L1Block, sequence_number: u64) -> Result<Vec<TxDeposit>, ChainError> {
        let address = self.params.system_config;
        let config = origin.state().system_configs.get(&address);
        let config = config.ok_or(ChainError::NoSystemConfig { address, origin: origin.number() })?;
        let mut deposits = vec![L1Attributes::new(origin, sequence_number, config).deposit()];
        if sequence_number == 0 {
            deposits.extend(origin.deposits(self.params.deposit_contract));
        }
        Ok(deposits)
    }

    /// The L1 block that a block derives from. `None`: it is genesis.
    ///
    /// # Errors
    /// When there is no such block.
    pub fn origin(&self, hash: B256) -> Result<Option<&Arc<L1Block>>, ChainError> {
        self.tree.origin(hash).map_err(|source| self.tree_error(source))
    }

    /// Makes a block the head: the canonical chain is then its ancestors and itself.
    ///
    /// # Errors
    /// When the tree holds no such block, or its branch leaves the canonical chain deeper than blocks are
    /// kept.
    pub fn adopt(&mut self, hash: B256) -> Result<(), ChainError> {
        let chain_id = self.params.chain_id;
        self.tree.adopt(hash).map_err(|source| ChainError::Tree { chain_id, source })
    }

    /// An account's nonce after a block.
    ///
    /// # Errors
    /// When the block or its state is not there.
    pub fn nonce(&self, at: B256, account: Address) -> Result<u64, ChainError> {
        Ok(self.state(at)?.nonce(account))
    }

    /// The output of a block (version 0).
    #[cfg(test)]
    pub(crate) fn output_root(&self, hash: B256) -> Option<OutputRoot> {
        let header = &self.by_hash(hash)?.header;
        let state_root = header.state_root;
        let withdrawal_storage_root = header.withdrawals_root?;
        let preimage = [B256::ZERO, state_root, withdrawal_storage_root, hash].concat();
        Some(OutputRoot {
            output_root: alloy::primitives::keccak256(preimage),
            state_root,
            withdrawal_storage_root,
            block_hash: hash,
        })
    }

    /// The replacement of a block: the same attributes on the same parent, with its deposits only. A deposit
    /// that L1 never had is not among them.
    ///
    /// # Errors
    /// When the block or its parent's state is not there, or the block is genesis.
    pub fn deposits_only(&mut self, block: B256) -> Result<Arc<L2Block>, ChainError> {
        let origin = Arc::clone(self.origin(block)?.ok_or(ChainError::GenesisReplaced)?);
        let parent = self.block(block)?.header.parent_hash;
        self.build(parent, &origin, &[])
    }

    /// The state after a block.
    ///
    /// # Errors
    /// When the block or its state is not there.
    pub(crate) fn state(&self, hash: B256) -> Result<&WorldState, ChainError> {
        self.tree.state(hash).map_err(|source| self.tree_error(source))
    }

    fn block(&self, hash: B256) -> Result<&Arc<L2Block>, ChainError> {
        self.tree.block(hash).map_err(|source| self.tree_error(source))
    }

    const fn tree_error(&self, source: TreeError) -> ChainError {
        ChainError::Tree { chain_id: self.params.chain_id, source }
    }
}

/// The metering of the block of this number, which used so much gas, and its receipt. Nobody sends it, and it
/// changes nothing.
fn metering(number: u64, gas_used: u64) -> (OpTxEnvelope, OpReceiptEnvelope) {
    let receipt = OpReceiptEnvelope::from_parts(true, gas_used, [], OpTxType::PostExec, None, None);
    (build_post_exec_tx(number, Vec::new()).into(), receipt)
}

/// The block's transactions with their senders: the deposits, then what users signed.
fn recover(
    deposits: Vec<TxDeposit>,
    users: &[Bytes],
) -> Result<Vec<Recovered<OpTxEnvelope>>, UserTransactionError> {
    let deposits = deposits.into_iter().map(|deposit| {
        let from = deposit.from;
        Ok(Recovered::new_unchecked(OpTxEnvelope::from(deposit), from))
    });
    let users = users.iter().enumerate().map(|(index, raw)| user_transaction::recover(index, raw));
    deposits.chain(users).collect()
}

#[cfg(test)]
mod tests;
