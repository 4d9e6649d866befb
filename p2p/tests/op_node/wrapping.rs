//! How signed bytes become a frame: signed, and compressed, in each way that anybody knows of.

use crate::{block::SIGNATURE, chain};
use alloy_primitives::{Address, B256, Bytes, U256};
use crosscheck_p2p::{BlockSigner, ChainId, PayloadHash, SigningDomain, signing_hash};
use secp256k1::{Message, SECP256K1, SecretKey};

/// Somebody with a key, by the byte that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u8);

/// The sequencer, whoever takes its place, and whoever may sign nothing.
pub(crate) const SEQUENCER: Key = Key(0x11);
pub(crate) const SUCCESSOR: Key = Key(0x33);
pub(crate) const STRANGER: Key = Key(0x22);

impl Key {
    pub(crate) fn address(self) -> Address {
        BlockSigner::from_bytes(&B256::repeat_byte(self.0)).unwrap().address()
    }

    /// The decompressed frame: a signature, and what is signed.
    pub(crate) fn sign(self, signed: &[u8]) -> Vec<u8> {
        self.sign_as(signed, SigningDomain::Zero, chain())
    }

    /// The same for another chain, or in another domain.
    pub(crate) fn sign_as(self, signed: &[u8], domain: SigningDomain, chain_id: ChainId) -> Vec<u8> {
        let hash = signing_hash(domain, chain_id, PayloadHash::of(signed));
        let key = SecretKey::from_byte_array([self.0; 32]).unwrap();
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key);
        let (id, scalars) = signature.serialize_compact();
        let id = u8::try_from(i32::from(id)).unwrap();
        [scalars.as_slice(), &[id], signed].concat()
    }
}

/// The signature in front, rewritten as its twin: `n - s`, the other parity.
pub(crate) fn twin(bytes: &mut [u8]) {
    let s = order() - U256::from_be_slice(&bytes[32..64]);
    bytes[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    bytes[SIGNATURE - 1] ^= 1;
}

/// The order of the curve.
pub(crate) fn order() -> U256 {
    U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap()
}

/// Compresses as other implementations do.
pub(crate) fn compress(bytes: &[u8]) -> Bytes {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap().into()
}

/// Compresses without finding anything twice.
pub(crate) fn literals(bytes: &[u8]) -> Bytes {
    let mut frame = varint(bytes.len() as u64, 1);
    for chunk in bytes.chunks(60) {
        frame.push(u8::try_from(chunk.len() - 1).unwrap() << 2);
        frame.extend(chunk);
    }
    frame.into()
}

/// The frame with another length in front, in so many bytes at least.
pub(crate) fn with_length(frame: &[u8], length: u64, bytes: usize) -> Bytes {
    let end = frame.iter().position(|byte| byte & 0x80 == 0).unwrap();
    [varint(length, bytes).as_slice(), &frame[end + 1..]].concat().into()
}

/// The length that stands in front of a frame.
pub(crate) fn length(frame: &[u8]) -> u64 {
    snap::raw::decompress_len(frame).unwrap() as u64
}

/// A number in groups of seven bits, in so many bytes at least.
fn varint(mut value: u64, bytes: usize) -> Vec<u8> {
    let mut varint = Vec::new();
    while value >= 0x80 || varint.len() + 1 < bytes {
        varint.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    varint.push(u8::try_from(value).unwrap());
    varint
}
