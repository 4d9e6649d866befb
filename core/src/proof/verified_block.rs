//! [`VerifiedBlock`]: a block whose header hashes to its hash and whose transactions hash to its root.

use super::{DeclaredKeys, inbox_keys};
use crate::proof::OutputV0;
use alloy::consensus::Header;
use alloy::consensus::proofs::ordered_trie_root_encoded;
use alloy::primitives::{B256, Bytes, keccak256};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::DEPOSIT_TX_TYPE_ID;
use std::sync::Arc;

/// A block as an execution client gave it, its header and transactions checked against its hash. Clones share
/// the transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlock {
    hash: B256,
    header: Header,
    transactions: Arc<[Bytes]>,
}

/// Why a block is invalid.
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
    /// None of its transactions was given.
    #[error("block {hash} came with none of its transactions")]
    Empty {
        /// The block.
        hash: B256,
    },
    /// Only transaction hashes were given.
    #[error("block {hash} came without its transactions")]
    NoTransactions {
        /// The block.
        hash: B256,
    },
}

impl VerifiedBlock {
    /// Checks a header and encoded transactions against the block's claimed hash.
    ///
    /// # Errors
    /// If the header does not hash to the claimed hash, or the transactions do not hash to the header's root.
    pub fn verify_parts(claimed: B256, header: Header, transactions: Vec<Bytes>) -> Result<Self, BlockError> {
        let found = header.hash_slow();
        if found != claimed {
            return Err(BlockError::Hash { number: header.number, claimed, found });
        }
        let found = ordered_trie_root_encoded(&transactions);
        if found != header.transactions_root {
            if transactions.is_empty() {
                return Err(BlockError::Empty { hash: claimed });
            }
            let claimed_root = header.transactions_root;
            return Err(BlockError::TransactionsRoot { hash: claimed, claimed: claimed_root, found });
        }
        Ok(Self { hash: claimed, header, transactions: transactions.into() })
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

    /// The hashes of the transactions at these places; none if one of them is not there.
    pub fn transaction_hashes(&self, places: impl IntoIterator<Item = u32>) -> Vec<B256> {
        let at = |place: u32| Some(keccak256(self.transactions.get(usize::try_from(place).ok()?)?));
        places.into_iter().map(at).collect::<Option<_>>().unwrap_or_default()
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let each = |raw: &Bytes| size_of::<Bytes>().saturating_add(raw.len());
        let transactions = self.transactions.iter().map(each).fold(0, usize::saturating_add);
        size_of::<Self>().saturating_add(self.header.extra_data.len()).saturating_add(transactions)
    }

    /// Whether every transaction is a deposit.
    pub fn is_deposits_only(&self) -> bool {
        self.transactions.iter().all(|raw| raw.first() == Some(&DEPOSIT_TX_TYPE_ID))
    }

    /// The inbox's storage keys that its transactions declare.
    pub fn inbox_keys(&self) -> DeclaredKeys {
        inbox_keys(&self.transactions)
    }

    /// Its output root (version 0), from its header alone. `None`: the block is from before Isthmus, whose
    /// headers do not commit to the message passer's storage.
    ///
    /// Spec: protocol/proposals.md, "L2 output commitment construction"; protocol/isthmus/exec-engine.md. A
    /// header has a requests hash from Isthmus on; a withdrawals root it had before, of an empty list.
    pub fn output_root(&self) -> Option<B256> {
        self.header.requests_hash?;
        let withdrawals_root = self.header.withdrawals_root?;
        Some(OutputV0 { state_root: self.header.state_root, withdrawals_root, block_hash: self.hash }.root())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::b256;
    use rstest::rstest;

    fn block(header: Header, transactions: Vec<Bytes>) -> VerifiedBlock {
        VerifiedBlock { hash: header.hash_slow(), header, transactions: transactions.into() }
    }

    #[rstest]
    #[case::deposits(&["\x7e1", "\x7e2"], true)]
    #[case::one_of_a_user(&["\x7e1", "\x02"], false)]
    #[case::an_empty_one(&[""], false)]
    fn deposits_only(#[case] transactions: &[&str], #[case] expected: bool) {
        let transactions = transactions.iter().map(|raw| raw.as_bytes().to_vec().into()).collect();
        assert_eq!(block(Header::default(), transactions).is_deposits_only(), expected);
    }

    #[test]
    fn the_output_root_is_the_hash_of_the_version_and_the_three_parts() {
        let isthmus = Header {
            state_root: B256::repeat_byte(1),
            withdrawals_root: Some(B256::repeat_byte(2)),
            requests_hash: Some(b256!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
            ..Header::default()
        };
        let verified = block(isthmus.clone(), vec![]);
        let parts = [B256::ZERO, B256::repeat_byte(1), B256::repeat_byte(2), verified.hash()];
        assert_eq!(verified.output_root(), Some(keccak256(parts.concat())));
        let canyon = Header { requests_hash: None, ..isthmus };
        assert_eq!(block(canyon, vec![]).output_root(), None);
    }
}
