//! [`Wallet`]: a user of the devnet, with a key that the seed decides.
//!
//! It signs; it keeps no nonce and sends nothing.

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::{Encodable2718, eip2930::AccessList},
    primitives::{Address, B256, Bytes, TxKind, U256, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use core::fmt;

/// Separates these keys from every other use of a seed.
const DERIVATION: &[u8] = b"crosscheck devnet wallet";

/// The most that a transaction pays above the base fee, wei per gas.
const PRIORITY_FEE: u128 = 1_000;

/// A signing key of the devnet. Not secret: anyone who knows the seed knows the key.
#[derive(Clone)]
pub struct Wallet {
    signer: PrivateKeySigner,
}

/// A contract call to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The chain it is for (EIP-155).
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// The contract.
    pub to: Address,
    /// The calldata.
    pub input: Bytes,
    /// What it sends along, wei.
    pub value: U256,
    /// The slots that it declares.
    pub access_list: AccessList,
    /// The gas limit.
    pub gas_limit: u64,
    /// The most that it pays a gas, wei.
    pub max_fee: u128,
}

/// Why a wallet could not be made or could not sign.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The derived scalar is not a secp256k1 key (about one seed in 2^128).
    #[error("seed {seed} and index {index} derive no secp256k1 key; choose another seed: {reason}")]
    NoKey {
        /// The seed.
        seed: u64,
        /// The index.
        index: u32,
        /// What the key parser says.
        reason: String,
    },
    /// What was signed does not read back: never seen.
    #[error("a transaction of {from} with nonce {nonce} does not decode: {reason}")]
    Encoding {
        /// The sender.
        from: Address,
        /// The nonce.
        nonce: u64,
        /// What the decoder says.
        reason: String,
    },
    /// The signer refused.
    #[error("could not sign a transaction of {from} with nonce {nonce}: {source}")]
    Sign {
        /// The sender.
        from: Address,
        /// The nonce.
        nonce: u64,
        /// What the signer says.
        source: alloy::signers::Error,
    },
}

impl Wallet {
    /// The wallet that a seed and an index decide, the same on every chain.
    ///
    /// # Errors
    /// When the derived scalar is not a key: never seen, about one in 2^128.
    pub fn derive(seed: u64, index: u32) -> Result<Self, WalletError> {
        let preimage = [DERIVATION, &seed.to_be_bytes(), &index.to_be_bytes()].concat();
        PrivateKeySigner::from_bytes(&keccak256(preimage))
            .map(|signer| Self { signer })
            .map_err(|error| WalletError::NoKey { seed, index, reason: error.to_string() })
    }

    /// The account that the key controls.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// The secret key, for a component that signs by itself.
    pub fn secret(&self) -> B256 {
        self.signer.to_bytes()
    }

    /// Signs an EIP-1559 transaction; answers its EIP-2718 encoding.
    ///
    /// Signatures are deterministic (RFC 6979): the same call gives the same bytes.
    ///
    /// # Errors
    /// When the signer refuses, which a local key does not.
    pub fn sign_call(&self, call: Call) -> Result<Bytes, WalletError> {
        let nonce = call.nonce;
        let transaction = TxEip1559 {
            chain_id: call.chain_id,
            nonce,
            gas_limit: call.gas_limit,
            max_fee_per_gas: call.max_fee,
            max_priority_fee_per_gas: PRIORITY_FEE.min(call.max_fee),
            to: TxKind::Call(call.to),
            value: call.value,
            access_list: call.access_list,
            input: call.input,
        };
        let signature = self
            .signer
            .sign_hash_sync(&transaction.signature_hash())
            .map_err(|source| WalletError::Sign { from: self.address(), nonce, source })?;
        let signed: TxEnvelope = transaction.into_signed(signature).into();
        Ok(signed.encoded_2718().into())
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").field("address", &self.address()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::{consensus::transaction::SignerRecoverable, eips::Decodable2718};
    use op_alloy::consensus::OpTxEnvelope;

    fn call() -> Call {
        Call {
            chain_id: 901,
            nonce: 7,
            to: Address::repeat_byte(1),
            input: Bytes::from_static(&[1, 2, 3]),
            value: U256::ZERO,
            access_list: AccessList::default(),
            gas_limit: 100_000,
            max_fee: 2_000_000_000,
        }
    }

    #[test]
    fn signs_what_it_was_given_as_itself() {
        let wallet = Wallet::derive(7, 0).unwrap();
        let raw = wallet.sign_call(call()).unwrap();
        let envelope = OpTxEnvelope::decode_2718(&mut raw.as_ref()).unwrap();
        assert_eq!(envelope.recover_signer().unwrap(), wallet.address());
        let OpTxEnvelope::Eip1559(signed) = envelope else { panic!("not EIP-1559") };
        assert_eq!(signed.tx().nonce, 7);
        assert_eq!(signed.tx().input, call().input);
        assert_eq!(signed.tx().to, TxKind::Call(call().to));
    }

    #[test]
    fn seed_and_index_decide_the_key() {
        let derive = |seed, index| Wallet::derive(seed, index).unwrap().address();
        assert_eq!(derive(7, 0), derive(7, 0));
        assert_ne!(derive(7, 0), derive(7, 1));
        assert_ne!(derive(7, 0), derive(8, 0));
    }

    #[test]
    fn debug_hides_the_key() {
        let wallet = Wallet::derive(7, 0).unwrap();
        assert!(!format!("{wallet:?}").contains(&format!("{:x}", wallet.secret())));
    }
}
