//! What no node can avoid, with the fastest libraries found and nothing in between: one decompression, one
//! SHA-256 for the id, one Keccak over the payload, one over each node of the transactions' trie, one
//! recovery.
//!
//! The trie's nodes are laid out beforehand and sorted by size, so that eight of a size can be hashed at
//! once.

use crate::{
    baseline::{decompress, message_id},
    sample::{CHAIN, Sample},
};
use alloy_primitives::{Address, B256, keccak256};
use asmcrypto::keccak_batch::keccak256_batch;
use crosscheck_p2p::{PayloadHash, SigningDomain, signing_hash};
use secp256k1::{
    Message, SECP256K1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

/// What comes out.
pub(crate) struct Hashed {
    pub(crate) message_id: [u8; 20],
    pub(crate) signer: Address,
    pub(crate) root: B256,
}

/// Does the work.
pub(crate) fn hash(sample: &Sample) -> Hashed {
    let data = decompress(&sample.frame);
    let message_id = message_id(&sample.topic_path, &data);
    let (signature, signed) = data.split_first_chunk::<65>().unwrap();
    let payload_hash = PayloadHash::from(keccak256(signed));
    let message = signing_hash(SigningDomain::Zero, CHAIN.into(), payload_hash);
    Hashed { message_id, signer: recover(signature, message), root: hash_nodes(sample) }
}

fn recover(signature: &[u8; 65], message: B256) -> Address {
    let id = RecoveryId::try_from(i32::from(signature[64])).unwrap();
    let signature = RecoverableSignature::from_compact(&signature[..64], id).unwrap();
    let key = SECP256K1.recover_ecdsa(Message::from_digest(message.0), &signature).unwrap();
    Address::from_raw_public_key(&key.serialize_uncompressed()[1..])
}

/// Hashes every node; the digest of the one that comes last is the root.
fn hash_nodes(sample: &Sample) -> B256 {
    let (nodes, rest) = sample.nodes.as_chunks::<8>();
    // The library's code for other machines is slower than the assembly.
    let vectors_pay = fearless_simd::Level::new().as_avx512().is_some();
    let mut last = B256::ZERO;
    for batch in nodes {
        if vectors_pay && fit_together(batch) {
            last = B256::from(keccak256_batch(batch.each_ref().map(Vec::as_slice))[7]);
        } else {
            batch.iter().for_each(|node| last = keccak256(node));
        }
    }
    rest.iter().for_each(|node| last = keccak256(node));
    last
}

/// Whether all take the same number of permutations, and none has the size at which the library panics: one
/// byte short of whole blocks.
fn fit_together(batch: &[Vec<u8>; 8]) -> bool {
    let blocks = |node: &Vec<u8>| node.len() / 136;
    batch.iter().all(|node| blocks(node) == blocks(&batch[0]) && node.len() % 136 != 135)
}
