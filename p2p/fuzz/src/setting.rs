//! The chain, its signer and its time, as every target has them.

use alloy_primitives::B256;
use crosscheck_p2p::{
    BlockSigner, ChainId, GossipForkTimes, SIGNATURE_BYTES, Signers, UnixSeconds, ValidationRules, Validator,
};
use secp256k1::{Message, SECP256K1, SecretKey};
use std::sync::LazyLock;

/// The time at which frames arrive.
pub const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// The chain.
pub fn chain() -> ChainId {
    ChainId::from(901)
}

const KEY: B256 = B256::repeat_byte(0x11);

/// The sequencer's key, which is also that of the node whose records are read.
pub fn key() -> SecretKey {
    SecretKey::from_byte_array(KEY.0).expect("a valid key")
}

/// Who signs: computed once, for it takes longer than most frames.
static SIGNERS: LazyLock<Signers> = LazyLock::new(|| {
    let sequencer = BlockSigner::from_bytes(&KEY).expect("a valid key");
    Signers::of(sequencer.address())
});

/// The sequencer as the one signer.
pub fn signers() -> Signers {
    *SIGNERS
}

/// The sequencer's signature.
pub fn sign(signing_hash: B256) -> [u8; SIGNATURE_BYTES] {
    let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(signing_hash.0), &key());
    let (id, scalars) = signature.serialize_compact();
    let mut bytes = [0; SIGNATURE_BYTES];
    bytes[..64].copy_from_slice(&scalars);
    bytes[64] = u8::try_from(i32::from(id)).expect("0 to 3");
    bytes
}

/// A validator that has seen nothing, of a chain with these forks. It remembers few heights, for its caches
/// are made again with every input.
pub fn validator(forks: GossipForkTimes) -> Validator {
    let rules = ValidationRules::new(chain());
    Validator::new(ValidationRules { forks, blocks_max_heights: 8, cross_safe_max_heights: 8, ..rules })
}

/// The most memory that `work` held at once on this thread, bytes, and what it gave.
pub fn memory_of<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let mut given = None;
    let measured = allocation_counter::measure(|| given = Some(work()));
    (measured.bytes_max, given.expect("it was run"))
}
