//! Gossip frames for the command line: made by the library, and changed on purpose.

use alloy::eips::eip4895::Withdrawal;
use alloy::primitives::{Address, B256, Bloom, Bytes, U256};
use alloy::signers::{SignerSync, local::PrivateKeySigner};
use crosscheck_p2p::{
    BlobFields, BlockSigner, ChainId, Envelope, ExecutionPayload, PayloadHash, SigningDomain, UnixSeconds,
    VersionFields, signing_hash,
};

pub(crate) const CHAIN: u64 = 901;
/// When the block was built; the time of arrival unless a test says otherwise.
pub(super) const TIME: u64 = 1_800_000_000;
const SECRET: B256 = B256::repeat_byte(0x11);

/// The address of the key that signs.
pub(crate) fn sequencer() -> Address {
    BlockSigner::from_bytes(&SECRET).unwrap().address()
}

fn payload() -> ExecutionPayload {
    ExecutionPayload {
        parent_hash: B256::repeat_byte(1),
        fee_recipient: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        receipts_root: B256::repeat_byte(4),
        logs_bloom: Bloom::repeat_byte(5),
        prev_randao: B256::repeat_byte(6),
        number: 42,
        gas_limit: 60_000_000,
        gas_used: 21_000,
        timestamp: UnixSeconds(TIME),
        extra_data: Bytes::from_static(&[1; 17]),
        base_fee_per_gas: U256::from(1_000_000),
        block_hash: B256::ZERO,
        transactions: vec![Bytes::from_static(&[0x7e, 1, 2]), Bytes::from_static(&[2, 3])],
        version_fields: later(Vec::new(), 0),
    }
}

/// What version 4 added.
pub(super) fn later(withdrawals: Vec<Withdrawal>, excess_blob_gas: u64) -> VersionFields {
    let parent_beacon_block_root = B256::repeat_byte(8);
    let blobs = BlobFields { parent_beacon_block_root, blob_gas_used: 12_345, excess_blob_gas };
    VersionFields::V4 { withdrawals, blobs, withdrawals_root: B256::repeat_byte(9) }
}

/// An envelope whose block hash is right, after `change` has been at its payload.
pub(crate) fn envelope(change: impl FnOnce(&mut ExecutionPayload)) -> Envelope {
    let mut payload = payload();
    change(&mut payload);
    payload.block_hash = payload.recompute_hash();
    Envelope { payload }
}

/// The sequencer's frame of a sound block.
pub(super) fn sound(domain: SigningDomain) -> Bytes {
    frame(&envelope(|_| ()), domain)
}

/// The sequencer's frame of an envelope.
pub(crate) fn frame(envelope: &Envelope, domain: SigningDomain) -> Bytes {
    frame_by(envelope, &BlockSigner::from_bytes(&SECRET).unwrap(), domain)
}

/// Somebody's frame of an envelope.
pub(crate) fn frame_by(envelope: &Envelope, signer: &BlockSigner, domain: SigningDomain) -> Bytes {
    envelope.sign(signer, domain, ChainId::from(CHAIN)).unwrap().frame()
}

/// The sequencer's frame of a sound block whose signed bytes `change` has been at before they were signed.
pub(super) fn resigned(change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut signed = envelope(|_| ()).encode().unwrap().to_vec();
    change(&mut signed);
    let hash = signing_hash(SigningDomain::Zero, ChainId::from(CHAIN), PayloadHash::of(&signed));
    let signature = PrivateKeySigner::from_bytes(&SECRET).unwrap().sign_hash_sync(&hash).unwrap();
    let mut bytes = signature.as_bytes().to_vec();
    bytes[64] -= 27;
    bytes.extend_from_slice(&signed);
    compressed(&bytes)
}

/// A frame whose decompressed bytes `change` has been at, signature and all.
pub(super) fn altered(frame: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut bytes = vec![0; snap::raw::decompress_len(frame).unwrap()];
    snap::raw::Decoder::new().decompress(frame, &mut bytes).unwrap();
    change(&mut bytes);
    compressed(&bytes)
}

/// A frame that claims to hold this many bytes, and holds what the sound one does.
pub(super) fn claiming(size: usize) -> Bytes {
    let sound = sound(SigningDomain::Zero);
    let header = sound.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let mut bytes = Vec::new();
    let mut rest = size;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes.extend_from_slice(&sound[header..]);
    bytes.into()
}

fn compressed(bytes: &[u8]) -> Bytes {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap().into()
}
