//! Agreement with op-alloy's decoder and block hash on generated payloads of every version, and with its
//! published envelope.

use crate::support::{chain, sequencer, version_fields};
use alloy_eips::{eip2718::Encodable2718 as _, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B256, Bloom, Bytes, Signature, TxKind, U256, hex, keccak256};
use crosscheck_p2p::{
    BlobFields, Envelope, ExecutionPayload, Frame, Judgement, PayloadVersion, Signers, SigningDomain, Topic,
    UnixSeconds, ValidationRules, Validator, VersionFields,
};
use op_alloy::{
    consensus::{OpTxEnvelope, TxDeposit},
    rpc_types_engine::{OpExecutionPayload, OpNetworkPayloadEnvelope},
};
use proptest::{collection::vec, prelude::*};

/// Ten thousand payloads in all: half with opaque transactions, half with ones that op-alloy decodes.
const CASES: u32 = 5_000;

/// op-alloy's version 4 test envelope: of its own making, with a block hash of zero.
const PUBLISHED: &[u8] = &hex!(
    "9105f043cee25401b6853202950d1d8a082f31a80c4fef5782c049a731f5d104b1b9b9aa7618605b420438ae98b44c8aaaebd482854473"
    "c2ae57c079286bb634bece5210000000006a03000412346a1d00fe0100fe0100fe0100fe0100fe0100fe01004201000c5766d267219504"
    "30020106f6010001440104b60100049876"
);

#[test]
fn the_published_envelope_is_read_and_written_back() {
    let frame = Frame::open(&Bytes::from_static(PUBLISHED)).unwrap();
    let envelope = Envelope::decode(PayloadVersion::V4, &frame.signed()).unwrap();
    let payload = &envelope.payload;
    assert_eq!(payload.timestamp, UnixSeconds(1_741_842_007));
    assert_eq!(payload.parent_beacon_block_root(), Some(B256::left_padding_from(&[0x12, 0x34])));
    assert_eq!(payload.withdrawals_root(), Some(B256::left_padding_from(&[0x98, 0x76])));
    assert_eq!(envelope.encode().unwrap(), frame.signed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn op_alloy_agrees_on_opaque_transactions(envelope in envelopes(vec(any::<u8>(), 1..40).boxed())) {
        let theirs = agree(&envelope);
        let is_v4 = envelope.payload.version() == PayloadVersion::V4;
        let mut block = theirs.payload.into_block_raw().unwrap();
        block.header.parent_beacon_block_root = theirs.parent_beacon_block_root;
        block.header.requests_hash = is_v4.then_some(EMPTY_REQUESTS_HASH);
        prop_assert_eq!(block.header.hash_slow(), envelope.payload.block_hash);
    }

    #[test]
    fn op_alloy_agrees_on_decoded_transactions(envelope in envelopes(transactions())) {
        let theirs = agree(&envelope);
        let is_v4 = envelope.payload.version() == PayloadVersion::V4;
        let mut block = theirs.payload.try_into_block::<OpTxEnvelope>().unwrap();
        block.header.parent_beacon_block_root = theirs.parent_beacon_block_root;
        block.header.requests_hash = is_v4.then_some(EMPTY_REQUESTS_HASH);
        prop_assert_eq!(block.header.hash_slow(), envelope.payload.block_hash);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_generated_block_is_accepted_once_signed(envelope in envelopes(transactions())) {
        let frame = envelope.sign(&sequencer(), SigningDomain::Zero, chain()).unwrap().frame();
        let signers = Signers::of(sequencer().address());
        let mut validator = Validator::new(ValidationRules::new(chain()));
        let topic = Topic::of_blocks(envelope.payload.version());
        let judgement = validator.judge(topic, &frame, &signers, envelope.payload.timestamp);
        let Judgement::Accept(block) = judgement else { panic!("{judgement:?}") };
        prop_assert_eq!(block.envelope(), &envelope);
    }

    #[test]
    fn arbitrary_signed_bytes_never_panic(bytes in vec(any::<u8>(), 0..2_000)) {
        let bytes = Bytes::from(bytes);
        for version in PayloadVersion::ALL {
            if let Ok(envelope) = Envelope::decode(version, &bytes) {
                prop_assert_eq!(envelope.encode().unwrap(), bytes.clone());
            }
        }
    }

    /// Whatever a changed byte makes of the bytes: what still decodes encodes to the same bytes.
    #[test]
    fn decoding_is_canonical(
        envelope in envelopes(transactions()),
        position in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = envelope.encode().unwrap().to_vec();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        let bytes = Bytes::from(bytes);
        if let Ok(envelope) = Envelope::decode(envelope.payload.version(), &bytes) {
            prop_assert_eq!(envelope.encode().unwrap(), bytes);
        }
    }
}

/// Sends an envelope through op-alloy's decoder, and compares what comes out field by field.
fn agree(envelope: &Envelope) -> OpNetworkPayloadEnvelope {
    let signed = envelope.encode().unwrap();
    let mut bytes = Signature::test_signature().as_rsy().to_vec();
    bytes.extend_from_slice(&signed);
    let frame: Bytes = snap::raw::Encoder::new().compress_vec(&bytes).unwrap().into();
    let version = envelope.payload.version();
    let theirs = decode(version, &frame);
    let opened = Frame::open(&frame).unwrap();
    let ours = Envelope::decode(version, &opened.signed()).unwrap();
    assert_eq!(&ours, envelope);
    assert_eq!(theirs.payload_hash.0, opened.payload_hash().as_b256());
    assert_eq!(theirs.parent_beacon_block_root, ours.payload.parent_beacon_block_root());
    assert_eq!(converted(&theirs), ours.payload);
    assert_eq!(encode(version, &theirs), recompressed(&theirs.signature, &signed));
    theirs
}

fn decode(version: PayloadVersion, frame: &[u8]) -> OpNetworkPayloadEnvelope {
    let decode = match version {
        PayloadVersion::V1 => OpNetworkPayloadEnvelope::decode_v1,
        PayloadVersion::V2 => OpNetworkPayloadEnvelope::decode_v2,
        PayloadVersion::V3 => OpNetworkPayloadEnvelope::decode_v3,
        PayloadVersion::V4 => OpNetworkPayloadEnvelope::decode_v4,
    };
    decode(frame).unwrap()
}

fn encode(version: PayloadVersion, envelope: &OpNetworkPayloadEnvelope) -> Vec<u8> {
    let encode = match version {
        PayloadVersion::V1 => OpNetworkPayloadEnvelope::encode_v1,
        PayloadVersion::V2 => OpNetworkPayloadEnvelope::encode_v2,
        PayloadVersion::V3 => OpNetworkPayloadEnvelope::encode_v3,
        PayloadVersion::V4 => OpNetworkPayloadEnvelope::encode_v4,
    };
    encode(envelope).unwrap()
}

fn recompressed(signature: &Signature, signed: &[u8]) -> Vec<u8> {
    let mut bytes = signature.as_bytes().to_vec();
    bytes[64] = u8::from(signature.v());
    bytes.extend_from_slice(signed);
    snap::raw::Encoder::new().compress_vec(&bytes).unwrap()
}

fn converted(theirs: &OpNetworkPayloadEnvelope) -> ExecutionPayload {
    let payload = &theirs.payload;
    let v1 = payload.as_v1();
    let withdrawals = || payload.as_v2().unwrap().withdrawals.clone();
    let blobs = || BlobFields {
        parent_beacon_block_root: theirs.parent_beacon_block_root.unwrap(),
        blob_gas_used: payload.as_v3().unwrap().blob_gas_used,
        excess_blob_gas: payload.as_v3().unwrap().excess_blob_gas,
    };
    ExecutionPayload {
        parent_hash: v1.parent_hash,
        fee_recipient: v1.fee_recipient,
        state_root: v1.state_root,
        receipts_root: v1.receipts_root,
        logs_bloom: v1.logs_bloom,
        prev_randao: v1.prev_randao,
        number: v1.block_number,
        gas_limit: v1.gas_limit,
        gas_used: v1.gas_used,
        timestamp: UnixSeconds(v1.timestamp),
        extra_data: v1.extra_data.clone(),
        base_fee_per_gas: v1.base_fee_per_gas,
        block_hash: v1.block_hash,
        transactions: v1.transactions.clone(),
        version_fields: match payload {
            OpExecutionPayload::V1(_) => VersionFields::V1,
            OpExecutionPayload::V2(_) => VersionFields::V2 { withdrawals: withdrawals() },
            OpExecutionPayload::V3(_) => VersionFields::V3 { withdrawals: withdrawals(), blobs: blobs() },
            OpExecutionPayload::V4(v4) => VersionFields::V4 {
                withdrawals: withdrawals(),
                blobs: blobs(),
                withdrawals_root: v4.withdrawals_root,
            },
        },
    }
}

/// Envelopes with a right block hash. The long fields are drawn from one seed: their bits mean nothing.
pub(crate) fn envelopes(transaction: BoxedStrategy<Vec<u8>>) -> impl Strategy<Value = Envelope> {
    let numbers = any::<[u64; 6]>();
    let version = prop::sample::select(PayloadVersion::ALL.to_vec());
    (version, any::<[u8; 32]>(), numbers, vec(any::<u8>(), 0..=32), vec(transaction, 0..6)).prop_map(
        |(version, seed, numbers, extra_data, transactions)| {
            let [number, gas_limit, gas_used, timestamp, base_fee, blob_gas] = numbers;
            let draw = |label: u8| keccak256([seed.as_slice(), &[label]].concat());
            let mut version_fields = version_fields(version);
            match &mut version_fields {
                VersionFields::V1 | VersionFields::V2 { .. } => {}
                VersionFields::V3 { blobs, .. } | VersionFields::V4 { blobs, .. } => {
                    blobs.parent_beacon_block_root = draw(0);
                    blobs.blob_gas_used = blob_gas;
                }
            }
            if let VersionFields::V4 { withdrawals_root, .. } = &mut version_fields {
                *withdrawals_root = draw(6);
            }
            let mut payload = ExecutionPayload {
                parent_hash: draw(1),
                fee_recipient: Address::from_word(draw(2)),
                state_root: draw(3),
                receipts_root: draw(4),
                logs_bloom: Bloom::from_slice(&(10..18).flat_map(|label| draw(label).0).collect::<Vec<_>>()),
                prev_randao: draw(5),
                number,
                gas_limit,
                gas_used,
                timestamp: UnixSeconds(timestamp),
                extra_data: extra_data.into(),
                base_fee_per_gas: U256::from(base_fee),
                block_hash: B256::ZERO,
                transactions: transactions.into_iter().map(Bytes::from).collect(),
                version_fields,
            };
            payload.block_hash = payload.recompute_hash();
            Envelope { payload }
        },
    )
}

/// Deposits, as EIP-2718 bytes.
pub(crate) fn transactions() -> BoxedStrategy<Vec<u8>> {
    let fields = (any::<[u8; 32]>(), any::<Option<[u8; 20]>>(), any::<[u64; 3]>(), vec(any::<u8>(), 0..60));
    fields
        .prop_map(|(seed, to, [mint, value, gas_limit], input)| {
            let deposit = TxDeposit {
                source_hash: seed.into(),
                from: Address::from_word(keccak256(seed)),
                to: to.map_or(TxKind::Create, |to| TxKind::Call(to.into())),
                mint: mint.into(),
                value: U256::from(value),
                gas_limit,
                is_system_transaction: false,
                input: input.into(),
            };
            deposit.encoded_2718()
        })
        .boxed()
}
