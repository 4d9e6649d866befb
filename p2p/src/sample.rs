//! Blocks for the unit tests: self-consistent, signed, and changed on purpose.

mod version_fields;

pub(crate) use version_fields::version_fields;

use crate::{
    BlobFields, BlockSigner, ChainId, Envelope, ExecutionPayload, PayloadVersion, Signers, SigningDomain,
    Topic, UnixSeconds, VersionFields, signing_hash, snappy::compress,
};
use alloy_eips::eip4895::Withdrawal;
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
    Signers::of(sequencer().address())
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
        version_fields: version_fields(PayloadVersion::V4),
    }
}

/// The list of withdrawals, to change.
pub(crate) fn withdrawals(payload: &mut ExecutionPayload) -> &mut Vec<Withdrawal> {
    match &mut payload.version_fields {
        VersionFields::V1 => panic!("version 1 has no withdrawals"),
        VersionFields::V2 { withdrawals }
        | VersionFields::V3 { withdrawals, .. }
        | VersionFields::V4 { withdrawals, .. } => withdrawals,
    }
}

/// The blob fields, to change.
pub(crate) fn blobs(payload: &mut ExecutionPayload) -> &mut BlobFields {
    match &mut payload.version_fields {
        VersionFields::V1 | VersionFields::V2 { .. } => panic!("no blob fields before version 3"),
        VersionFields::V3 { blobs, .. } | VersionFields::V4 { blobs, .. } => blobs,
    }
}

/// A version 4 envelope whose block hash is right, after `change` has been at its payload.
pub(crate) fn envelope(number: u64, change: impl FnOnce(&mut ExecutionPayload)) -> Envelope {
    let mut payload = payload(number);
    change(&mut payload);
    payload.block_hash = payload.recompute_hash();
    Envelope { payload }
}

/// An envelope of a version.
pub(crate) fn envelope_of(version: PayloadVersion, number: u64) -> Envelope {
    envelope(number, |payload| payload.version_fields = version_fields(version))
}

/// The sequencer's frame of an envelope on a topic.
pub(crate) fn frame(envelope: &Envelope, topic: Topic) -> Bytes {
    envelope.sign(&sequencer(), own_domain(topic), chain()).unwrap().frame()
}

/// A frame of bytes that need not be an envelope, rightly signed.
pub(crate) fn signed_frame(signed: &[u8], topic: Topic) -> Bytes {
    let hash = signing_hash(own_domain(topic), chain(), crate::PayloadHash::of(signed));
    let mut bytes = sequencer().sign_hash(hash).unwrap().to_vec();
    bytes.extend_from_slice(signed);
    compress(&bytes).unwrap().into()
}

/// A frame whose decompressed bytes `change` has been at, signature and all.
pub(crate) fn altered(frame: &Bytes, change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = crate::snappy::decompress(frame).unwrap();
    change(&mut bytes);
    compress(&bytes).unwrap().into()
}

/// A compressed frame whose length is written in this many bytes.
pub(crate) fn padded(frame: &[u8], bytes: usize) -> Vec<u8> {
    let end = frame.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let (length, block) = frame.split_at(end + 1);
    let mut padded: Vec<u8> = length.iter().map(|byte| byte | 0x80).collect();
    padded.resize(bytes - 1, 0x80);
    padded.push(0);
    padded.extend(block);
    padded
}

/// The signature in front of a decompressed frame, rewritten as its twin: `n - s`, the other parity.
pub(crate) fn twin(bytes: &mut [u8]) {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order = U256::from_str_radix(order, 16).unwrap();
    let s = U256::from_be_slice(&bytes[32..64]);
    bytes[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    bytes[64] ^= 1;
}
