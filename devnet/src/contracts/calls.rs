//! Calldata and access lists for the contracts.

use super::bindings::{ICrossL2Inbox, IEmitter};
use alloy::{
    eips::eip2930::{AccessList, AccessListItem},
    primitives::{B256, Bytes, U256},
    sol_types::SolCall,
};
use crosscheck_core::message::{CROSS_L2_INBOX, Message, encode_access_list};

/// Calldata that makes the emitter log exactly these topics (0 to 4; more revert) and this data.
pub fn emit_call(topics: &[B256], data: &[u8]) -> Bytes {
    IEmitter::emitLogCall { topics: topics.to_vec(), data: Bytes::copy_from_slice(data) }.abi_encode().into()
}

/// Calldata that executes a message.
pub fn validate_message_call(message: &Message) -> Bytes {
    let id = &message.identifier;
    let id = ICrossL2Inbox::Identifier {
        origin: id.origin,
        blockNumber: U256::from(id.block_number),
        logIndex: U256::from(id.log_index),
        timestamp: U256::from(id.timestamp.0),
        chainId: id.chain_id.as_u256(),
    };
    ICrossL2Inbox::validateMessageCall { id, msgHash: message.payload_hash }.abi_encode().into()
}

/// The access list that the inbox demands of a transaction that executes these messages.
pub fn inbox_access_list(messages: &[Message]) -> AccessList {
    if messages.is_empty() {
        return AccessList::default();
    }
    let storage_keys = messages.iter().flat_map(encode_access_list).collect();
    AccessList(vec![AccessListItem { address: CROSS_L2_INBOX, storage_keys }])
}
