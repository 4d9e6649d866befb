//! [`Sample`]: signed blocks of a number of transactions of mixed size.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Signature, TxKind, U256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer, root::adjust_index_for_rlp};
use crosscheck_p2p::{
    BlobFields, BlockSigner, Envelope, ExecutionPayload, SigningDomain, Topic, UnixSeconds, VersionFields,
};

/// The chain.
pub(crate) const CHAIN: u64 = 901;
/// Nobody's signer.
pub(crate) const STRANGER: Address = Address::repeat_byte(0x77);

/// A signed block, and what the comparison needs of it.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) frame: Bytes,
    pub(crate) topic_path: String,
    pub(crate) signer: Address,
    pub(crate) timestamp: UnixSeconds,
    /// Bytes, decompressed.
    pub(crate) size: u64,
    /// The transactions' root.
    pub(crate) root: B256,
    /// The bytes of the hashed nodes of the transactions' trie, the shortest first, the root at the end.
    pub(crate) nodes: Vec<Vec<u8>>,
}

impl Sample {
    /// 1, 100, 1,000 and 5,000 transactions, and 8 MiB of them.
    pub(crate) fn all() -> Vec<Self> {
        let ordinary = |count| Self::of(&format!("{count}"), transactions(count, 500));
        let mut large = transactions(900, 16_000);
        large.extend(transactions(8, 256_000));
        vec![ordinary(1), ordinary(100), ordinary(1_000), ordinary(5_000), Self::of("8-mib", large)]
    }

    fn of(name: &str, transactions: Vec<Bytes>) -> Self {
        let signer = BlockSigner::from_bytes(&B256::repeat_byte(0x11)).unwrap();
        let (nodes, root) = trie_nodes(&transactions);
        let mut payload = payload(transactions);
        payload.block_hash = payload.recompute_hash();
        let timestamp = payload.timestamp;
        let envelope = Envelope { payload };
        let frame = envelope.sign(&signer, SigningDomain::Zero, CHAIN.into()).unwrap().frame();
        let size = snap::raw::decompress_len(&frame).unwrap() as u64;
        eprintln!("{name}: {size} bytes, {} compressed, {} trie nodes", frame.len(), nodes.len());
        Self {
            name: name.to_owned(),
            frame,
            topic_path: Topic::BlocksV4.path(CHAIN.into()),
            signer: signer.address(),
            timestamp,
            size,
            root,
            nodes,
        }
    }
}

/// EIP-1559 transactions with call data of 0 to `most` bytes, half of its words zeros as call data mostly is.
fn transactions(count: u64, most: u64) -> Vec<Bytes> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ count;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..count)
        .map(|nonce| {
            let words = draw() % (most / 32 + 1);
            let word = |bits: u64| {
                if bits.is_multiple_of(2) {
                    B256::ZERO
                } else {
                    B256::from(U256::from(bits).wrapping_pow(U256::from(5)))
                }
            };
            let input: Vec<u8> = (0..words).flat_map(|_| word(draw()).0).collect();
            let transaction = TxEip1559 {
                chain_id: CHAIN,
                nonce,
                gas_limit: draw() % 1_000_000,
                max_fee_per_gas: u128::from(draw()),
                max_priority_fee_per_gas: u128::from(draw() % 1_000_000),
                to: TxKind::Call(Address::from_word(B256::from(U256::from(draw())))),
                value: U256::from(draw()),
                access_list: Vec::new().into(),
                input: input.into(),
            };
            let signature = Signature::new(U256::from(draw()), U256::from(draw()), draw().is_multiple_of(2));
            TxEnvelope::from(transaction.into_signed(signature)).encoded_2718().into()
        })
        .collect()
}

fn payload(transactions: Vec<Bytes>) -> ExecutionPayload {
    ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::repeat_byte(5),
        prev_randao: B256::repeat_byte(6),
        number: 7,
        gas_limit: 400_000_000,
        gas_used: 300_000_000,
        timestamp: UnixSeconds(1_800_000_000),
        extra_data: Bytes::from_static(&[1; 17]),
        base_fee_per_gas: U256::from(1_000_000),
        block_hash: B256::ZERO,
        transactions,
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

/// The nodes as alloy lays them out, and their root.
fn trie_nodes(transactions: &[Bytes]) -> (Vec<Vec<u8>>, B256) {
    let count = transactions.len();
    let key = |place| {
        let index = adjust_index_for_rlp(place, count);
        (Nibbles::unpack(alloy_rlp::encode(index)), &transactions[index])
    };
    let retainer = ProofRetainer::from_iter((0..count).map(|place| key(place).0));
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    (0..count).map(key).for_each(|(key, value)| builder.add_leaf(key, value));
    let root = builder.root();
    let mut nodes: Vec<(Nibbles, Bytes)> = builder.take_proof_nodes().into_inner().into_iter().collect();
    nodes.sort_by_key(|(path, node)| (path.is_empty(), node.len()));
    (nodes.into_iter().map(|(_, node)| node.to_vec()).collect(), root)
}
