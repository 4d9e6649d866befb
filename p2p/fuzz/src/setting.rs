//! The chain, its signer and its time, as every target has them.

use alloy_primitives::B256;
use crosscheck_p2p::{
    BlockSigner, ChainId, SIGNATURE_BYTES, Signers, UnixSeconds, ValidationRules, Validator,
};
use secp256k1::{Message, SECP256K1, SecretKey};

/// The time at which frames arrive.
pub const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// The chain.
pub fn chain() -> ChainId {
    ChainId::from(901)
}

const KEY: B256 = B256::repeat_byte(0x11);

/// The sequencer as the one signer.
pub fn signers() -> Signers {
    let sequencer = BlockSigner::from_bytes(&KEY).expect("a valid key");
    Signers::of(sequencer.address())
}

/// The sequencer's signature.
pub fn sign(signing_hash: B256) -> [u8; SIGNATURE_BYTES] {
    let key = SecretKey::from_byte_array(KEY.0).expect("a valid key");
    let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(signing_hash.0), &key);
    let (id, scalars) = signature.serialize_compact();
    let mut bytes = [0; SIGNATURE_BYTES];
    bytes[..64].copy_from_slice(&scalars);
    bytes[64] = u8::try_from(i32::from(id)).expect("0 to 3");
    bytes
}

/// A validator that has seen nothing.
pub fn validator() -> Validator {
    Validator::new(ValidationRules::new(chain()))
}
