//! One block in either side's own types. Each side encodes, hashes and signs it by itself.

use alloy_consensus::{Block, BlockBody, EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip4895::Withdrawals;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_rpc_types_engine::ExecutionPayloadV3;
use k256::ecdsa::SigningKey;
use op_alloy_consensus::{OpTxEnvelope, TxDeposit};
use op_alloy_rpc_types_engine::{
    OpExecutionPayload, OpExecutionPayloadEnvelope, OpExecutionPayloadV4, OpNetworkPayloadEnvelope,
};
use ssz::Encode as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The chain: one that no registry knows.
pub const CHAIN: u64 = 9_000_901;

/// The root of an empty list of withdrawals.
const NO_WITHDRAWALS: B256 = alloy_consensus::EMPTY_ROOT_HASH;

/// A version of the payload on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Ecotone to Holocene.
    V3,
    /// Isthmus and later.
    V4,
}

/// A block of a version, made now.
pub fn block(version: Version, number: u64) -> Block<OpTxEnvelope> {
    let transactions = vec![deposit(0), deposit(number)];
    let raw: Vec<Bytes> = transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect();
    let is_v4 = version == Version::V4;
    let header = Header {
        parent_hash: B256::repeat_byte(1),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: Address::repeat_byte(2),
        state_root: B256::repeat_byte(3),
        transactions_root: alloy_consensus::proofs::ordered_trie_root_with_encoder(&raw, |item, out| {
            out.extend_from_slice(item);
        }),
        receipts_root: B256::repeat_byte(4),
        number,
        gas_limit: 60_000_000,
        gas_used: 46_218,
        timestamp: now(),
        extra_data: Bytes::from_static(&[0, 0, 0, 0, 250, 0, 0, 0, 6]),
        mix_hash: B256::repeat_byte(5),
        base_fee_per_gas: Some(1_000_000),
        withdrawals_root: Some(if is_v4 { B256::repeat_byte(6) } else { NO_WITHDRAWALS }),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::repeat_byte(7)),
        requests_hash: is_v4.then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    let body = BlockBody { transactions, ommers: Vec::new(), withdrawals: Some(Withdrawals::default()) };
    Block { header, body }
}

/// The block as kona sends it, signed with the key.
pub fn kona_envelope(
    version: Version,
    block: &Block<OpTxEnvelope>,
    secret: &B256,
) -> OpNetworkPayloadEnvelope {
    let unsigned = unsigned(version, block);
    let payload_hash = unsigned.payload_hash();
    let key = SigningKey::from_slice(secret.as_slice()).unwrap();
    let hash = payload_hash.signature_message(CHAIN);
    let signature = Signature::from(key.sign_prehash_recoverable(hash.as_slice()).unwrap());
    let OpExecutionPayloadEnvelope { parent_beacon_block_root, execution_payload: payload } = unsigned;
    OpNetworkPayloadEnvelope { payload, signature, payload_hash, parent_beacon_block_root }
}

fn unsigned(version: Version, block: &Block<OpTxEnvelope>) -> OpExecutionPayloadEnvelope {
    let v3 = ExecutionPayloadV3::from_block_slow(block);
    let execution_payload = match version {
        Version::V3 => OpExecutionPayload::V3(v3),
        Version::V4 => {
            let storage_root = block.header.withdrawals_root.unwrap();
            OpExecutionPayload::V4(OpExecutionPayloadV4::from_v3_with_withdrawals_root(v3, storage_root))
        }
    };
    let parent_beacon_block_root = block.header.parent_beacon_block_root;
    OpExecutionPayloadEnvelope { parent_beacon_block_root, execution_payload }
}

/// The block's payload in SSZ, its parent beacon block root in front: what is signed. Its block hash is left
/// out: who sends it has to find it.
pub fn payload(version: Version, block: &Block<OpTxEnvelope>) -> Vec<u8> {
    let mut unsigned = unsigned(version, block);
    match &mut unsigned.execution_payload {
        OpExecutionPayload::V4(payload) => {
            payload.payload_inner.payload_inner.payload_inner.block_hash = B256::ZERO
        }
        OpExecutionPayload::V3(payload) => payload.payload_inner.payload_inner.block_hash = B256::ZERO,
        earlier => panic!("{earlier:?} is none of the versions"),
    }
    unsigned.as_ssz_bytes()
}

/// The address of a key.
pub fn address(secret: &B256) -> Address {
    Address::from_public_key(SigningKey::from_slice(secret.as_slice()).unwrap().verifying_key())
}

/// kona decodes each transaction: this is one.
fn deposit(number: u64) -> OpTxEnvelope {
    let deposit = TxDeposit {
        source_hash: B256::left_padding_from(&number.to_be_bytes()),
        from: Address::repeat_byte(8),
        to: TxKind::Call(Address::repeat_byte(9)),
        mint: 0,
        value: U256::from(number),
        gas_limit: 1_000_000,
        is_system_transaction: false,
        input: Bytes::from_static(&[1, 2, 3]),
    };
    deposit.into()
}

/// kona's validator reads the machine's clock, so the blocks are of now.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
