//! Reads what users signed: EIP-2718 bytes to a transaction with its sender.
//!
//! Only what a user can sign passes; whether it is valid in a block, its execution shows.

use alloy::{
    consensus::transaction::{Recovered, SignerRecoverable},
    eips::Decodable2718,
    primitives::Bytes,
};
use op_alloy::consensus::{OpTxEnvelope, OpTxType};

/// Why bytes are no user transaction.
#[derive(Debug, thiserror::Error)]
pub enum UserTransactionError {
    /// The bytes decode to no transaction, or to one and more bytes.
    #[error("user transaction {index} does not decode: {source}")]
    Decode {
        /// Its place among the user transactions.
        index: usize,
        /// What the decoder says.
        source: alloy::eips::eip2718::Eip2718Error,
    },
    /// The transaction is of a type that the protocol alone makes.
    #[error("user transaction {index} has the type {kind}, which no user signs")]
    Unsigned {
        /// Its place among the user transactions.
        index: usize,
        /// Its type.
        kind: OpTxType,
    },
    /// The signature yields no sender.
    #[error("the signature of user transaction {index} yields no sender: {source}")]
    Signature {
        /// Its place among the user transactions.
        index: usize,
        /// What the recovery says.
        source: alloy::consensus::crypto::RecoveryError,
    },
}

/// Decodes the user transaction at place `index` and recovers its sender.
///
/// # Errors
/// When the bytes are no transaction that a user signed.
pub(crate) fn recover(index: usize, raw: &Bytes) -> Result<Recovered<OpTxEnvelope>, UserTransactionError> {
    let envelope = OpTxEnvelope::decode_2718_exact(raw)
        .map_err(|source| UserTransactionError::Decode { index, source })?;
    if matches!(envelope, OpTxEnvelope::Deposit(_) | OpTxEnvelope::PostExec(_)) {
        return Err(UserTransactionError::Unsigned { index, kind: envelope.tx_type() });
    }
    let sender =
        envelope.recover_signer().map_err(|source| UserTransactionError::Signature { index, source })?;
    Ok(Recovered::new_unchecked(envelope, sender))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::EMITTER;
    use crate::fixture::Fixture;
    use alloy::eips::eip2930::AccessList;

    fn signed(fixture: &Fixture) -> Bytes {
        fixture.call(0, EMITTER, Bytes::from_static(b"input"), AccessList::default())
    }

    #[test]
    fn the_signer_is_the_sender() {
        let fixture = Fixture::new(7);
        assert_eq!(recover(0, &signed(&fixture)).unwrap().signer(), fixture.user.address());
    }

    #[test]
    fn every_truncation_and_any_more_bytes_are_refused() {
        let raw = signed(&Fixture::new(7));
        for length in 0..raw.len() {
            let refused = recover(5, &raw.slice(..length)).unwrap_err();
            assert!(matches!(refused, UserTransactionError::Decode { index: 5, .. }), "{length}: {refused}");
        }
        let longer = [&raw[..], &[0]].concat();
        assert!(matches!(recover(0, &longer.into()), Err(UserTransactionError::Decode { .. })));
    }

    #[test]
    fn a_deposit_is_not_a_user_transaction() {
        let deposit = Fixture::new(7).extend(&[]).raw_transactions[0].clone();
        let refused = recover(0, &deposit).unwrap_err();
        assert!(
            matches!(refused, UserTransactionError::Unsigned { kind: OpTxType::Deposit, .. }),
            "{refused}"
        );
    }
}
