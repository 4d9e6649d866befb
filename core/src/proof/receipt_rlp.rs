//! The EIP-2718 encoding of receipts as execution clients give them, into a buffer that is used again and
//! again.
//!
//! The receipts root is the root of a trie of these encodings. The types' own encoders want each log copied
//! out of its JSON-RPC shape first, and measure every part more than once; here a block of a thousand logs is
//! encoded without an allocation. Nothing is decoded here.
//!
//! Spec: EIP-2718, EIP-658; protocol/deposits.md, "Deposit Receipt".

use super::HashedReceipt;
use alloy::consensus::Eip658Value;
use alloy::primitives::{Log, LogData};
use alloy::rlp::{Encodable, Header};

/// How many bytes an address takes, its header included.
const ADDRESS: usize = 21;
/// How many bytes a topic takes, its header included.
const TOPIC: usize = 33;

/// Appends the encoding of a receipt.
pub(super) fn encode(receipt: &HashedReceipt, out: &mut Vec<u8>) {
    if let Some(encoding) = &receipt.encoding {
        out.extend_from_slice(encoding);
        return;
    }
    if receipt.tx_type != 0 {
        out.push(receipt.tx_type);
    }
    let logs = receipt.logs.iter().map(|log| list(log_payload(&log.data)));
    let logs = logs.fold(0_usize, usize::saturating_add);
    let of_deposits =
        receipt.deposit.map_or(0, |(nonce, version)| nonce.length().saturating_add(version.length()));
    let parts = [
        status_length(&receipt.status),
        receipt.cumulative_gas_used.length(),
        receipt.bloom.length(),
        list(logs),
        of_deposits,
    ];
    let payload_length = parts.into_iter().fold(0, usize::saturating_add);
    Header { list: true, payload_length }.encode(out);
    match &receipt.status {
        Eip658Value::Eip658(status) => status.encode(out),
        Eip658Value::PostState(root) => root.encode(out),
    }
    receipt.cumulative_gas_used.encode(out);
    receipt.bloom.encode(out);
    Header { list: true, payload_length: logs }.encode(out);
    for log in &receipt.logs {
        encode_log(log, out);
    }
    if let Some((nonce, version)) = receipt.deposit {
        nonce.encode(out);
        version.encode(out);
    }
}

fn encode_log(log: &Log, out: &mut Vec<u8>) {
    let data = &log.data;
    Header { list: true, payload_length: log_payload(data) }.encode(out);
    log.address.encode(out);
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
    use alloy::consensus::{Receipt, ReceiptWithBloom};
    use alloy::eips::eip2718::{Encodable2718, Typed2718};
    use alloy::primitives::{Address, B256, Bloom, Bytes};
    use op_alloy::consensus::{OpDepositReceipt, OpReceipt, OpReceiptEnvelope};
    use proptest::prelude::*;

    fn log() -> impl Strategy<Value = Log> {
        let topics = prop::collection::vec(any::<[u8; 32]>().prop_map(B256::from), 0..=4);
        // Around 56 and 256 bytes the headers grow.
        let data = prop_oneof![Just(0_usize), Just(1), 50..60_usize, 250..260_usize, 0..2_000_usize]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
        (any::<[u8; 20]>(), topics, data).prop_map(|(address, topics, data)| Log {
            address: Address::from(address),
            data: LogData::new_unchecked(topics, Bytes::from(data)),
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

    proptest! {
        #[test]
        fn encodes_as_the_types_own_encoders_do(receipt in receipt(), bloom in any::<[u8; 32]>()) {
            let logs_bloom = Bloom::from(core::array::from_fn(|place| bloom[place % 32]));
            let fields = receipt.as_receipt().clone();
            let deposit = match &receipt {
                OpReceipt::Deposit(deposit) => deposit.deposit_nonce.zip(deposit.deposit_receipt_version),
                _ => None,
            };
            let hashed = HashedReceipt {
                tx_type: receipt.ty(),
                status: fields.status,
                cumulative_gas_used: fields.cumulative_gas_used,
                bloom: logs_bloom,
                logs: fields.logs,
                deposit,
                encoding: None,
            };
            let mut encoded = vec![0xee];
            encode(&hashed, &mut encoded);
            let expected = OpReceiptEnvelope::from(ReceiptWithBloom { receipt, logs_bloom }).encoded_2718();
            prop_assert_eq!(&encoded[1..], expected);
        }
    }
}
