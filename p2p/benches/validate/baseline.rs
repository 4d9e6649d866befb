//! What a Rust node of today does with a frame: op-alloy's decoder, a block of decoded transactions, its
//! header's hash, a recovery with k256; and gossip's message id before that, from a decompression of its own.

use crate::sample::{CHAIN, Sample};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B256};
use op_alloy::{consensus::OpTxEnvelope, rpc_types_engine::OpNetworkPayloadEnvelope};
use sha2::{Digest, Sha256};

/// What comes out.
pub(crate) struct Judged {
    pub(crate) message_id: [u8; 20],
    pub(crate) signer: Address,
    pub(crate) hash: B256,
}

/// Judges a frame.
pub(crate) fn judge(sample: &Sample) -> Judged {
    let message_id = message_id(&sample.topic_path, &decompress(&sample.frame));
    let envelope = OpNetworkPayloadEnvelope::decode_v4(&sample.frame).unwrap();
    let message = envelope.payload_hash.signature_message(CHAIN);
    let signer = envelope.signature.recover_address_from_prehash(&message).unwrap();
    let mut block = envelope.payload.try_into_block::<OpTxEnvelope>().unwrap();
    block.header.parent_beacon_block_root = envelope.parent_beacon_block_root;
    block.header.requests_hash = Some(EMPTY_REQUESTS_HASH);
    Judged { message_id, signer, hash: block.header.hash_slow() }
}

/// The id of a message whose bytes are known to be snappy.
pub(crate) fn message_id(topic_path: &str, data: &[u8]) -> [u8; 20] {
    let digest = Sha256::new()
        .chain_update([1, 0, 0, 0])
        .chain_update((topic_path.len() as u64).to_le_bytes())
        .chain_update(topic_path)
        .chain_update(data)
        .finalize();
    digest[..20].try_into().unwrap()
}

/// Decompresses a frame.
pub(crate) fn decompress(frame: &[u8]) -> Vec<u8> {
    let mut data = vec![0; snap::raw::decompress_len(frame).unwrap()];
    let written = snap::raw::Decoder::new().decompress(frame, &mut data).unwrap();
    data.truncate(written);
    data
}
