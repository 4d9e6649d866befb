//! Conversions to op-alloy's payload types and back lose nothing, by op-alloy's own encoding; or they are
//! refused.

use crate::oracle::{envelopes, transactions};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256};
use crosscheck_p2p::{ConversionError, Envelope, ExecutionPayload, PayloadVersion, VersionFields};
use op_alloy::rpc_types_engine::{OpExecutionPayload, OpExecutionPayloadEnvelope};
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn an_envelope_comes_back(envelope in withdrawing()) {
        let theirs = OpExecutionPayloadEnvelope::from(envelope.clone());
        prop_assert_eq!(theirs.payload_hash().0, envelope.payload_hash().unwrap().as_b256());
        prop_assert_eq!(Envelope::try_from(theirs), Ok(envelope));
    }

    #[test]
    fn a_payload_alone_comes_back_unless_it_has_a_root(envelope in withdrawing()) {
        let payload = envelope.payload;
        let (number, version) = (payload.number, payload.version());
        let theirs = OpExecutionPayload::try_from(payload.clone());
        match version {
            PayloadVersion::V1 | PayloadVersion::V2 => {
                prop_assert_eq!(ExecutionPayload::try_from(theirs.unwrap()), Ok(payload));
            }
            PayloadVersion::V3 | PayloadVersion::V4 => {
                prop_assert_eq!(theirs, Err(ConversionError::RootLost { number, version }));
                let theirs = OpExecutionPayloadEnvelope::from(Envelope { payload }).execution_payload;
                let missing = ConversionError::RootMissing { number, version };
                prop_assert_eq!(ExecutionPayload::try_from(theirs), Err(missing));
            }
        }
    }

    #[test]
    fn a_root_is_there_exactly_where_the_version_has_one(envelope in withdrawing(), root: [u8; 32]) {
        let (number, version) = (envelope.payload.number, envelope.payload.version());
        let mut theirs = OpExecutionPayloadEnvelope::from(envelope);
        let root = B256::from(root);
        let refused = match version {
            PayloadVersion::V1 | PayloadVersion::V2 => {
                theirs.parent_beacon_block_root = Some(root);
                ConversionError::RootUnexpected { number, version, root }
            }
            PayloadVersion::V3 | PayloadVersion::V4 => {
                theirs.parent_beacon_block_root = None;
                ConversionError::RootMissing { number, version }
            }
        };
        prop_assert_eq!(Envelope::try_from(theirs), Err(refused));
    }
}

/// Envelopes with withdrawals, which no OP Stack block has: a conversion does not judge.
fn withdrawing() -> impl Strategy<Value = Envelope> {
    let numbers = any::<[u64; 3]>().prop_map(|[index, validator_index, amount]| Withdrawal {
        index,
        validator_index,
        address: Address::left_padding_from(&index.to_be_bytes()),
        amount,
    });
    (envelopes(transactions()), vec(numbers, 0..4)).prop_map(|(mut envelope, drawn)| {
        match &mut envelope.payload.version_fields {
            VersionFields::V1 => {}
            VersionFields::V2 { withdrawals }
            | VersionFields::V3 { withdrawals, .. }
            | VersionFields::V4 { withdrawals, .. } => *withdrawals = drawn,
        }
        envelope
    })
}
