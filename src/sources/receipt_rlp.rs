//! The EIP-2718 encoding of receipts as execution clients give them, into a buffer that is used again and again.
//!
//! The receipts root is the root of a trie of these encodings. The types' own encoders want each log copied out
//! of its JSON-RPC shape first, and measure every part more than once; here a block of a thousand logs is
//! encoded without an allocation. Nothing is decoded here.
//!
//! Spec: EIP-2718, EIP-658; protocol/deposits.md, "Deposit Receipt".

use alloy::consensus::{Eip658Value, Receipt, ReceiptWithBloom};
use alloy::eips::eip2718::Typed2718;
use alloy::primitives::{Bloom, LogData};
use alloy::rlp::{Encodable, Header};
use alloy::rpc::types::Log;
use op_alloy::consensus::OpReceipt;

/// How many bytes an address takes, its header included.
const ADDRESS: usize = 21;
/// How many bytes a topic takes, its header included.
const TOPIC: usize = 33;

/// Appends the encoding of a receipt.
pub(super) fn encode(receipt: &ReceiptWithBloom<OpReceipt<Log>>, out: &mut Vec<u8>) {
    let ReceiptWithBloom { receipt, logs_bloom } = receipt;
    let (fields, nonce, version) = match receipt {
        OpReceipt::Deposit(deposit) => {
            // From before Canyon clients tell the nonce, which the receipts root does not cover then.
            let version = deposit.deposit_receipt_version;
            (&deposit.inner, deposit.deposit_nonce.filter(|_| version.is_some()), version)
        }
        OpReceipt::Legacy(fields)
        | OpReceipt::Eip2930(fields)
        | OpReceipt::Eip1559(fields)
        | OpReceipt::Eip7702(fields)
        | OpReceipt::PostExec(fields) => (fields, None, None),
    };
    if !receipt.is_legacy() {
        out.push(receipt.ty());
    }
    encode_fields(fields, logs_bloom, nonce, version, out);
}

fn encode_fields(
    receipt: &Receipt<Log>,
    bloom: &Bloom,
    nonce: Option<u64>,
    version: Option<u64>,
    out: &mut Vec<u8>,
) {
    let logs = receipt.logs.iter().map(|log| list(log_payload(&log.inner.data)));
    let logs = logs.fold(0_usize, usize::saturating_add);
    let optional = |field: Option<u64>| field.map_or(0, |field| field.length());
    let parts = [
        status_length(&receipt.status),
        receipt.cumulative_gas_used.length(),
        bloom.length(),
        list(logs),
        optional(nonce),
        optional(version),
    ];
    let payload_length = parts.into_iter().fold(0, usize::saturating_add);
    Header { list: true, payload_length }.encode(out);
    match &receipt.status {
        Eip658Value::Eip658(status) => status.encode(out),
        Eip658Value::PostState(root) => root.encode(out),
    }
    receipt.cumulative_gas_used.encode(out);
    bloom.encode(out);
    Header { list: true, payload_length: logs }.encode(out);
    for log in &receipt.logs {
        encode_log(log, out);
    }
    for field in [nonce, version].into_iter().flatten() {
        field.encode(out);
    }
}

fn encode_log(log: &Log, out: &mut Vec<u8>) {
    let data = &log.inner.data;
    Header { list: true, payload_length: log_payload(data) }.encode(out);
    log.inner.address.encode(out);
    Header { list: true, payload_length: topics_payload(data) }.encode(out);
    for topic in data.topics() {
        topic.encode(out);
    }
    data.data.encode(out);
}

fn log_payload(data: &LogData) -> usize {
    ADDRESS.saturating_add(list(topics_payload(data))).saturating_add(data.data.length())
}

fn topics_payload(data: &LogData) -> usize {
    data.topics().len().saturating_mul(TOPIC)
}

fn status_length(status: &Eip658Value) -> usize {
    match status {
        Eip658Value::Eip658(status) => status.length(),
        Eip658Value::PostState(root) => root.length(),
    }
}

/// How long a list is, its header included.
const fn list(payload_length: usize) -> usize {
    Header { list: true, payload_length }.length_with_payload()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::eips::eip2718::Encodable2718;
    use alloy::primitives::{Address, B256, Bytes};
    use op_alloy::consensus::{OpDepositReceipt, OpReceiptEnvelope};
    use proptest::prelude::*;

    fn log() -> impl Strategy<Value = Log> {
        let topics = prop::collection::vec(any::<[u8; 32]>().prop_map(B256::from), 0..=4);
        // Around 56 and 256 bytes the headers grow.
        let data = prop_oneof![Just(0_usize), Just(1), 50..60_usize, 250..260_usize, 0..2_000_usize]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
        (any::<[u8; 20]>(), topics, data).prop_map(|(address, topics, data)| {
            let data = LogData::new_unchecked(topics, Bytes::from(data));
            Log { inner: alloy::primitives::Log { address: Address::from(address), data }, ..Log::default() }
        })
    }

    fn fields() -> impl Strategy<Value = Receipt<Log>> {
        let status = prop_oneof![
            any::<bool>().prop_map(Eip658Value::Eip658),
            any::<[u8; 32]>().prop_map(|root| Eip658Value::PostState(root.into())),
        ];
        (status, any::<u64>(), prop::collection::vec(log(), 0..6))
            .prop_map(|(status, cumulative_gas_used, logs)| Receipt { status, cumulative_gas_used, logs })
    }

    fn receipt() -> impl Strategy<Value = OpReceipt<Log>> {
        // What the receipts root is of has nonce and version, or neither.
        let deposit = (any::<Option<(u64, u64)>>(), fields()).prop_map(|(optional, inner)| {
            let (deposit_nonce, deposit_receipt_version) = optional.unzip();
            OpReceipt::Deposit(OpDepositReceipt { inner, deposit_nonce, deposit_receipt_version })
        });
        prop_oneof![
            fields().prop_map(OpReceipt::Legacy),
            fields().prop_map(OpReceipt::Eip2930),
            fields().prop_map(OpReceipt::Eip1559),
            fields().prop_map(OpReceipt::Eip7702),
            fields().prop_map(OpReceipt::PostExec),
            deposit,
        ]
    }

    fn with_consensus_logs(
        receipt: ReceiptWithBloom<OpReceipt<Log>>,
    ) -> ReceiptWithBloom<OpReceipt<alloy::primitives::Log>> {
        let ReceiptWithBloom { receipt, logs_bloom } = receipt;
        ReceiptWithBloom { receipt: receipt.map_logs(|log| log.inner), logs_bloom }
    }

    proptest! {
        #[test]
        fn encodes_as_the_types_own_encoders_do(receipt in receipt(), bloom in any::<[u8; 32]>()) {
            let logs_bloom = Bloom::from(core::array::from_fn(|place| bloom[place % 32]));
            let receipt = ReceiptWithBloom { receipt, logs_bloom };
            let mut encoded = vec![0xee];
            encode(&receipt, &mut encoded);
            let expected = OpReceiptEnvelope::from(with_consensus_logs(receipt)).encoded_2718();
            prop_assert_eq!(&encoded[1..], expected);
        }

        #[test]
        fn a_nonce_without_a_version_is_not_encoded(inner in fields(), nonce in any::<u64>()) {
            let encoded = |deposit_nonce| {
                let inner = inner.clone();
                let receipt = OpDepositReceipt { inner, deposit_nonce, deposit_receipt_version: None };
                let mut out = Vec::new();
                let receipt = OpReceipt::Deposit(receipt);
                encode(&ReceiptWithBloom { receipt, logs_bloom: Bloom::ZERO }, &mut out);
                out
            };
            prop_assert_eq!(encoded(Some(nonce)), encoded(None));
        }
    }
}
