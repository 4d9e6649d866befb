//! [`BlockMaker`]: a sequencer's blocks, each the child of the one before, full of transactions that no
//! compression makes smaller.

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope, TxLegacy};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bloom, Bytes, Signature, TxKind, U256};
use crosscheck_p2p::{
    BlobFields, BlockSigner, ChainId, Clock, Envelope, ExecutionPayload, SigningDomain, SystemClock,
    UnixSeconds, VersionFields,
};
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};

/// The chain.
pub(crate) const CHAIN: u64 = 901;

/// Call data of this many bytes at most, but for one transaction in so many.
const MOST_CALL_DATA: usize = 2_000;
const MOST_OF_A_LARGE_ONE: usize = 60_000;
const ONE_LARGE_IN: u32 = 50;

/// Who signs blocks.
pub(crate) fn sequencer() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x11)).unwrap()
}

/// Who signs attestations.
pub(crate) fn attester() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x22)).unwrap()
}

/// One block, as both topics carry it.
pub(crate) struct MadeBlock {
    pub(crate) number: u64,
    pub(crate) unsafe_block: Bytes,
    pub(crate) attestation: Bytes,
}

/// The chain's next block.
pub(crate) struct BlockMaker {
    rng: SmallRng,
    bytes: usize,
    parent_hash: B256,
    number: u64,
    start: UnixSeconds,
}

impl BlockMaker {
    /// A chain that begins now, with blocks of this many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let start = SystemClock.now();
        Self { rng: SmallRng::seed_from_u64(7), bytes, parent_hash: B256::ZERO, number: 0, start }
    }

    pub(crate) fn next(&mut self) -> MadeBlock {
        self.number += 1;
        let mut payload = self.payload();
        payload.block_hash = payload.recompute_hash();
        self.parent_hash = payload.block_hash;
        let envelope = Envelope { payload };
        let sign = |signer: &BlockSigner, domain| {
            envelope.sign(signer, domain, ChainId::from(CHAIN)).unwrap().frame()
        };
        MadeBlock {
            number: self.number,
            unsafe_block: sign(&sequencer(), SigningDomain::Zero),
            attestation: sign(&attester(), SigningDomain::CrossSafeBlocksV1),
        }
    }

    fn payload(&mut self) -> ExecutionPayload {
        ExecutionPayload {
            parent_hash: self.parent_hash,
            fee_recipient: Address::repeat_byte(2),
            state_root: self.word().into(),
            receipts_root: self.word().into(),
            logs_bloom: Bloom::repeat_byte(5),
            prev_randao: self.word().into(),
            number: self.number,
            gas_limit: 400_000_000,
            gas_used: 300_000_000,
            timestamp: UnixSeconds(self.start.0 + self.number),
            extra_data: Bytes::from_static(&[1; 17]),
            base_fee_per_gas: U256::from(1_000_000),
            block_hash: B256::ZERO,
            transactions: self.transactions(),
            version_fields: VersionFields::V4 {
                withdrawals: Vec::new(),
                blobs: BlobFields {
                    parent_beacon_block_root: B256::repeat_byte(8),
                    blob_gas_used: 12_345,
                    excess_blob_gas: 0,
                },
                withdrawals_root: B256::repeat_byte(9),
            },
        }
    }

    /// A deposit, then legacy and EIP-1559 transactions of mixed size until the block is full.
    fn transactions(&mut self) -> Vec<Bytes> {
        let deposit = self.noise(240);
        let mut transactions = vec![Bytes::from([&[0x7e], &deposit[..]].concat())];
        let mut left = self.bytes.saturating_sub(deposit.len());
        while left > 0 {
            let most =
                if self.rng.random_ratio(1, ONE_LARGE_IN) { MOST_OF_A_LARGE_ONE } else { MOST_CALL_DATA };
            let call_data = self.rng.random_range(0..=most.min(left));
            let transaction = self.transaction(call_data);
            left = left.saturating_sub(transaction.len());
            transactions.push(transaction);
        }
        transactions
    }

    fn transaction(&mut self, call_data: usize) -> Bytes {
        let signature = Signature::new(self.word(), self.word(), self.rng.random());
        let to = TxKind::Call(Address::from_word(self.word().into()));
        let (value, gas_limit, nonce) =
            (U256::from(self.rng.random::<u64>()), 500_000, u64::from(self.rng.random::<u16>()));
        let input = self.noise(call_data).into();
        let (chain_id, price) = (CHAIN, u128::from(self.rng.random::<u32>()));
        let transaction = if self.rng.random_ratio(1, 4) {
            let legacy =
                TxLegacy { chain_id: Some(chain_id), nonce, gas_price: price, gas_limit, to, value, input };
            TxEnvelope::from(legacy.into_signed(signature))
        } else {
            let transaction = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: price,
                max_priority_fee_per_gas: 1,
                to,
                value,
                access_list: Vec::new().into(),
                input,
            };
            TxEnvelope::from(transaction.into_signed(signature))
        };
        transaction.encoded_2718().into()
    }

    fn word(&mut self) -> U256 {
        U256::from_be_slice(&self.noise(32))
    }

    fn noise(&mut self, bytes: usize) -> Vec<u8> {
        let mut noise = vec![0; bytes];
        self.rng.fill_bytes(&mut noise);
        noise
    }
}
