//! [`VerifiedBlock`]: a block whose header hashes to its hash and whose transactions hash to its root.

use alloy::consensus::Header;
use alloy::consensus::proofs::ordered_trie_root_encoded;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{B256, Bytes};
use alloy::rpc::types::{Block, BlockTransactions, Header as RpcHeader};
use crosscheck_p2p::UnixSeconds;
use op_alloy::rpc_types::Transaction;

/// A block as an execution client gave it, its header and transactions checked against its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlock {
    hash: B256,
    header: Header,
    transactions: Vec<Bytes>,
}

/// Why a block does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The header's hash is not the one that the block claims.
    #[error("the header of block {number} hashes to {found}, not to {claimed}")]
    Hash {
        /// The block's height.
        number: u64,
        /// The hash that it claims.
        claimed: B256,
        /// The hash of its header.
        found: B256,
    },
    /// The transactions are not those that the header commits to.
    #[error("the transactions of block {hash} hash to {found}, not to {claimed}")]
    TransactionsRoot {
        /// The block.
        hash: B256,
        /// The root in its header.
        claimed: B256,
        /// The root of its transactions.
        found: B256,
    },
    /// Only transaction hashes were given.
    #[error("block {hash} came without its transactions")]
    NoTransactions {
        /// The block.
        hash: B256,
    },
}

impl VerifiedBlock {
    /// Checks an `eth_getBlockBy…` answer with full transactions.
    ///
    /// # Errors
    /// If header or transactions do not hash to what the block claims.
    pub fn verify(block: Block<Transaction, RpcHeader>) -> Result<Self, BlockError> {
        let claimed = block.header.hash;
        let header = block.header.inner;
        let found = header.hash_slow();
        if found != claimed {
            return Err(BlockError::Hash { number: header.number, claimed, found });
        }
        let transactions: Vec<Bytes> = match block.transactions {
            BlockTransactions::Full(list) => {
                list.iter().map(|transaction| transaction.inner.inner.encoded_2718().into()).collect()
            }
            BlockTransactions::Hashes(list) if list.is_empty() => Vec::new(),
            BlockTransactions::Hashes(_) | BlockTransactions::Uncle => {
                return Err(BlockError::NoTransactions { hash: claimed });
            }
        };
        let found = ordered_trie_root_encoded(&transactions);
        if found != header.transactions_root {
            let claimed_root = header.transactions_root;
            return Err(BlockError::TransactionsRoot { hash: claimed, claimed: claimed_root, found });
        }
        Ok(Self { hash: claimed, header, transactions })
    }

    /// Its hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Its header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its height.
    pub const fn number(&self) -> u64 {
        self.header.number
    }

    /// Its timestamp.
    pub const fn timestamp(&self) -> UnixSeconds {
        UnixSeconds(self.header.timestamp)
    }

    /// Its transactions, in their EIP-2718 encoding.
    pub fn transactions(&self) -> &[Bytes] {
        &self.transactions
    }
}
