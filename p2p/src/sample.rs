//! Blocks for the unit tests: self-consistent, signed, and changed on purpose.

use crate::{
    BlockSigner, ChainId, Envelope, ExecutionPayload, Signers, SigningDomain, Topic, UnixSeconds,
    frame::compress, signing_hash,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};

pub(crate) const CHAIN: u64 = 901;
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

pub(crate) fn chain() -> ChainId {
    ChainId::from(CHAIN)
}

pub(crate) fn sequencer() -> BlockSigner {
    BlockSigner::from_bytes(&B256::repeat_byte(0x11)).unwrap()
}

pub(crate) fn signers() -> Signers {
    Signers { unsafe_block_signer: Some(sequencer().address()), attester: None }
}

/// The domain that is natural on a topic.
pub(crate) fn own_domain(topic: Topic) -> SigningDomain {
    topic.domains()[0]
}

pub(crate) fn payload(number: u64) -> ExecutionPayload {
    ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::repeat_byte(5),
        prev_randao: B256::repeat_byte(6),
        number,
        gas_limit: 60_000_000,
        gas_used: 21_000,
        timestamp: NOW,
        extra_data: Bytes::from_static(&[1; 17]),
        base_fee_per_gas: U256::from(1_000_000),
        block_hash: B256::ZERO,
        transactions: vec![Bytes::from_static(&[0x7e, 1, 2]), Bytes::from_static(&[2, 3])],
        withdrawals: Vec::new(),
        blob_gas_used: 12_345,
        excess_blob_gas: 0,
        withdrawals_root: B256::repeat_byte(9),
    }
}

/// An envelope whose block hash is right, after `change` has been at its payload.
pub(crate) fn envelope(number: u64, change: impl FnOnce(&mut ExecutionPayload)) -> Envelope {
    let parent_beacon_block_root = B256::repeat_byte(8);
    let mut payload = payload(number);
    change(&mut payload);
    payload.block_hash = payload.recompute_hash(parent_beacon_block_root);
    Envelope { parent_beacon_block_root, payload }
}

/// The sequencer's frame of an envelope on a topic.
pub(crate) fn frame(envelope: &Envelope, topic: Topic) -> Bytes {
    envelope.sign(&sequencer(), own_domain(topic), chain()).unwrap().frame()
}

/// A frame of bytes that need not be an envelope, rightly signed.
pub(crate) fn signed_frame(signed: &[u8], topic: Topic) -> Bytes {
    let hash = signing_hash(own_domain(topic), chain(), crate::PayloadHash::of(signed));
    let mut bytes = sequencer().sign(hash).unwrap().to_vec();
    bytes.extend_from_slice(signed);
    compress(&bytes).unwrap().into()
}

/// A frame whose decompressed bytes `change` has been at, signature and all.
pub(crate) fn altered(frame: &Bytes, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = crate::frame::decompress(frame).unwrap();
    change(&mut bytes);
    compress(&bytes).unwrap().into()
}
