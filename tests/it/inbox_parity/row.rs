//! [`Row`]: one call of an inbox, and what must come of it.

use super::outcome::Outcome;
use alloy::eips::eip2930::{AccessList, AccessListItem};
use alloy::primitives::{Address, B256, Bytes, LogData, U64, address};
use alloy::sol_types::{SolCall, SolEvent};
use crosscheck_core::message;
use crosscheck_core::message::{Checksum, Message, encode_access_list};
use crosscheck_devnet::contracts::bindings::ICrossL2Inbox::{ExecutingMessage, Identifier};
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde_json::{Value, json};

/// The payload hash of every message.
pub(super) const PAYLOAD_HASH: B256 = B256::repeat_byte(0x5e);
/// A contract of the chain that makes several calls in one transaction, at the address that it has on every
/// chain.
const MULTICALL: Address = address!("ca11bde05977b3631167028862be2a173976ca11");
/// More than any call takes.
const GAS: u64 = 1_000_000;

alloy::sol! {
    interface IMulticall3 {
        struct Call3 { address target; bool allowFailure; bytes callData; }
        struct Result { bool success; bytes returnData; }
        function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory returnData);
    }
}

/// What both must do with each call.
pub(super) enum Expected {
    /// Emit one log of this message, and return nothing.
    Executed(Identifier),
    /// Revert with exactly this.
    Reverted(Bytes),
    /// Return the message's checksum, and emit nothing.
    Returned(Identifier),
}

/// What the transaction declares.
pub(super) enum Declared {
    Nothing,
    /// A message, on the inbox's address.
    Message(Identifier),
    /// Any storage keys, on the inbox's address.
    Keys(Vec<B256>),
    /// A message, on another contract's address.
    Elsewhere(Identifier),
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) input: Bytes,
    /// How many wei are sent along.
    pub(super) value: u64,
    pub(super) declared: Declared,
    /// How often the call is made in one transaction, through another contract. 0: once, straight.
    pub(super) relayed: usize,
    pub(super) expected: Expected,
}

impl Row {
    /// The transaction that makes the call on an inbox.
    pub(super) fn transaction(&self, from: Address, inbox: Address) -> Value {
        let (to, input) = match self.relayed {
            0 => (inbox, self.input.clone()),
            times => (MULTICALL, relay(inbox, &self.input, times)),
        };
        json!({
            "from": from,
            "to": to,
            "input": input,
            "value": U64::from(self.value),
            "gas": U64::from(GAS),
            "accessList": self.access_list(inbox),
        })
    }

    fn access_list(&self, inbox: Address) -> AccessList {
        let (address, storage_keys) = match &self.declared {
            Declared::Nothing => return AccessList::default(),
            Declared::Message(id) => (inbox, encode_access_list(&message(id))),
            Declared::Keys(keys) => (inbox, keys.clone()),
            Declared::Elsewhere(id) => (MULTICALL, encode_access_list(&message(id))),
        };
        AccessList(vec![AccessListItem { address, storage_keys }])
    }

    /// What each call gave, of what the transaction gave.
    pub(super) fn answers(&self, answer: Result<Bytes, Bytes>) -> Vec<Result<Bytes, Bytes>> {
        if self.relayed == 0 {
            return vec![answer];
        }
        let results =
            IMulticall3::aggregate3Call::abi_decode_returns(&answer.expect("the relay takes failures"));
        let results = results.unwrap().into_iter();
        results.map(|call| if call.success { Ok(call.returnData) } else { Err(call.returnData) }).collect()
    }

    /// What must come of it, on either inbox.
    pub(super) fn outcome(&self) -> Outcome {
        let calls = self.relayed.max(1);
        let (answer, log) = match &self.expected {
            Expected::Executed(id) => (Ok(Bytes::new()), Some(executing_message(id))),
            Expected::Returned(id) => (Ok(Checksum::of(&message(id)).as_word().into()), None),
            Expected::Reverted(data) => (Err(data.clone()), None),
        };
        Outcome {
            // The relay itself takes failures.
            succeeded: self.relayed > 0 || answer.is_ok(),
            answers: vec![answer; calls],
            logs: log.map_or_else(Vec::new, |log| vec![log; calls]),
        }
    }
}

/// One transaction that makes the same call again and again, whether it fails or not.
fn relay(target: Address, input: &Bytes, times: usize) -> Bytes {
    let call = IMulticall3::Call3 { target, allowFailure: true, callData: input.clone() };
    IMulticall3::aggregate3Call { calls: vec![call; times] }.abi_encode().into()
}

fn executing_message(id: &Identifier) -> LogData {
    ExecutingMessage { msgHash: PAYLOAD_HASH, id: id.clone() }.encode_log_data()
}

/// The message of an identifier whose fields have the widths that the contract demands.
fn message(id: &Identifier) -> Message {
    Message {
        identifier: message::Identifier {
            origin: id.origin,
            block_number: id.blockNumber.to(),
            log_index: id.logIndex.to(),
            timestamp: UnixSeconds(id.timestamp.to()),
            chain_id: ChainId::from(id.chainId),
        },
        payload_hash: PAYLOAD_HASH,
    }
}
