//! [`ProvenL1Logs`]: the logs of chosen contracts in one L1 block, from receipts that hash to its receipts
//! root.
//!
//! There is no other way to get one: unproven receipts cannot be used.

use super::{HashedReceipt, ProofError, VerifiedL1Header};
use alloy::consensus::constants::EMPTY_RECEIPTS;
use alloy::consensus::proofs::ordered_trie_root_with_encoder;
use alloy::primitives::{Address, B256, BloomInput, Log};
use std::collections::BTreeSet;

/// One log, with its place among all logs of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L1Log {
    /// Its index in the block.
    pub index: u64,
    /// The log.
    pub log: Log,
}

/// The logs of some contracts in one L1 block: all that they emitted there, in order, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenL1Logs {
    block: B256,
    contracts: BTreeSet<Address>,
    logs: Vec<L1Log>,
}

impl ProvenL1Logs {
    /// Proves the receipts of a block, in transaction order, and keeps the logs of these contracts.
    ///
    /// # Errors
    /// If the receipts do not hash to the header's receipts root.
    pub fn prove(
        header: &VerifiedL1Header,
        receipts: Vec<impl Into<HashedReceipt>>,
        contracts: &[Address],
    ) -> Result<Self, ProofError> {
        let receipts: Vec<HashedReceipt> = receipts.into_iter().map(Into::into).collect();
        Self::prove_hashed(header, &receipts, &contracts.iter().copied().collect())
    }

    /// The same of receipts as far as they are hashed.
    ///
    /// # Errors
    /// If the receipts do not hash to the header's receipts root.
    pub fn prove_hashed(
        header: &VerifiedL1Header,
        receipts: &[HashedReceipt],
        contracts: &BTreeSet<Address>,
    ) -> Result<Self, ProofError> {
        let (hash, claimed) = (header.hash(), header.header().receipts_root);
        let found = ordered_trie_root_with_encoder(receipts, HashedReceipt::encode);
        if found != claimed {
            return Err(ProofError::ReceiptsRoot { hash, claimed, found });
        }
        let all = receipts.iter().flat_map(|receipt| &receipt.logs);
        let wanted = (0..).zip(all).filter(|(_, log)| contracts.contains(&log.address));
        let logs = wanted.map(|(index, log)| L1Log { index, log: log.clone() }).collect();
        Ok(Self { block: hash, contracts: contracts.clone(), logs })
    }

    /// The logs of a block whose header alone says that it has none of these contracts: it has no receipts,
    /// or its bloom has none of them. L1 has no block whose bloom lacks one of its logs.
    pub fn of_header(header: &VerifiedL1Header, contracts: &[Address]) -> Option<Self> {
        let may_have = |contract: &Address| {
            header.header().logs_bloom.contains_input(BloomInput::Raw(contract.as_slice()))
        };
        let has_none = header.header().receipts_root == EMPTY_RECEIPTS || !contracts.iter().any(may_have);
        let contracts = contracts.iter().copied().collect();
        has_none.then(|| Self { block: header.hash(), contracts, logs: Vec::new() })
    }

    /// The block's hash.
    pub const fn block(&self) -> B256 {
        self.block
    }

    /// Whether what these contracts emitted is in it.
    pub fn has_all_of(&self, contracts: &[Address]) -> bool {
        contracts.iter().all(|contract| self.contracts.contains(contract))
    }

    /// The logs of one of the contracts, in order.
    pub fn of(&self, contract: Address) -> impl Iterator<Item = &L1Log> {
        self.logs.iter().filter(move |log| log.log.address == contract)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::consensus::proofs::calculate_receipt_root;
    use alloy::consensus::{Header, Receipt, ReceiptEnvelope, TxReceipt};
    use alloy::primitives::{Bloom, Bytes};

    const ONE: Address = Address::repeat_byte(1);
    const TWO: Address = Address::repeat_byte(2);

    fn receipt(emitters: &[Address]) -> ReceiptEnvelope {
        let logs = emitters.iter().map(|address| Log::new_unchecked(*address, vec![], Bytes::new()));
        ReceiptEnvelope::Eip1559(Receipt { logs: logs.collect(), ..Receipt::default() }.into())
    }

    fn header(receipts: &[ReceiptEnvelope]) -> VerifiedL1Header {
        let receipts_root = calculate_receipt_root(receipts);
        let logs_bloom = receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
        VerifiedL1Header::seal(Header { receipts_root, logs_bloom, ..Header::default() })
    }

    #[test]
    fn logs_keep_their_index_in_the_block() {
        let receipts = vec![receipt(&[ONE, TWO]), receipt(&[]), receipt(&[Address::ZERO, ONE])];
        let header = header(&receipts);
        let proven = ProvenL1Logs::prove(&header, receipts, &[ONE, TWO]).unwrap();
        assert_eq!(proven.block(), header.hash());
        let indices = |contract| proven.of(contract).map(|log| log.index).collect::<Vec<_>>();
        assert_eq!((indices(ONE), indices(TWO)), (vec![0, 3], vec![1]));
        assert!(indices(Address::ZERO).is_empty());
    }

    #[test]
    fn receipts_of_another_block_prove_nothing() {
        let header = header(&[receipt(&[ONE])]);
        for other in [vec![], vec![receipt(&[TWO])], vec![receipt(&[ONE]), receipt(&[])]] {
            let outcome = ProvenL1Logs::prove(&header, other, &[ONE]);
            assert!(matches!(outcome, Err(ProofError::ReceiptsRoot { .. })));
        }
        assert_eq!(ProvenL1Logs::of_header(&header, &[TWO, ONE]), None);
    }

    #[test]
    fn a_block_without_receipts_proves_itself() {
        let header = header(&[]);
        let proven = ProvenL1Logs::of_header(&header, &[ONE]).unwrap();
        assert_eq!(ProvenL1Logs::prove(&header, Vec::<ReceiptEnvelope>::new(), &[ONE]), Ok(proven));
    }

    #[test]
    fn a_bloom_without_the_contracts_proves_that_they_emitted_nothing() {
        let receipts = vec![receipt(&[TWO])];
        let header = header(&receipts);
        let proven = ProvenL1Logs::of_header(&header, &[ONE, Address::ZERO]).unwrap();
        assert_eq!(ProvenL1Logs::prove(&header, receipts, &[ONE, Address::ZERO]), Ok(proven));
    }
}
