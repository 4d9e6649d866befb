//! The logs that the real contracts emit for a transfer, as far as they are read here: for tests and
//! benches.

use super::bindings::{IEthBridge, IMessenger, ITokenBridge};
use super::{Asset, L2_TO_L2_MESSENGER, Transfer};
use crate::message::{CROSS_L2_INBOX, EXECUTING_MESSAGE_TOPIC, Identifier};
use alloy::primitives::{Address, B256, Bytes, Log, LogData, U256};
use alloy::sol_types::SolEvent;

fn log(address: Address, event: &impl SolEvent) -> Log {
    Log { address, data: event.encode_log_data() }
}

/// The logs of a transaction that initiates a transfer: the message, and the bridge's event.
pub fn send_logs(transfer: &Transfer) -> [Log; 2] {
    let Transfer { asset, from, to, amount, nonce, .. } = *transfer;
    let (bridge, destination) = (transfer.bridge(), transfer.destination.as_u256());
    let (sender, target, message) = (bridge, bridge, transfer.call());
    let sent = IMessenger::SentMessage { destination, target, nonce, sender, message };
    let burned = match asset {
        Asset::Eth => log(bridge, &IEthBridge::SendETH { from, to, amount, destination }),
        Asset::Token(token) => log(bridge, &ITokenBridge::SendERC20 { token, from, to, amount, destination }),
    };
    [log(L2_TO_L2_MESSENGER, &sent), burned]
}

/// The logs of a transaction that executes a transfer: the inbox's, the bridge's and the messenger's. The
/// message claims to be initiated there.
pub fn relay_logs(transfer: &Transfer, cited: &Identifier) -> [Log; 3] {
    let Transfer { asset, from, to, amount, nonce, .. } = *transfer;
    let (bridge, source) = (transfer.bridge(), transfer.source.as_u256());
    let mut data = Vec::with_capacity(160);
    data.extend_from_slice(cited.origin.into_word().as_slice());
    for word in [cited.block_number, u64::from(cited.log_index), cited.timestamp.0] {
        data.extend_from_slice(U256::from(word).to_be_bytes::<32>().as_slice());
    }
    data.extend_from_slice(&cited.chain_id.to_be_bytes());
    let topics = vec![EXECUTING_MESSAGE_TOPIC, transfer.payload_hash()];
    let executing = Log { address: CROSS_L2_INBOX, data: LogData::new_unchecked(topics, Bytes::from(data)) };
    let minted = match asset {
        Asset::Eth => log(bridge, &IEthBridge::RelayETH { from, to, amount, source }),
        Asset::Token(token) => log(bridge, &ITokenBridge::RelayERC20 { token, from, to, amount, source }),
    };
    let relayed = IMessenger::RelayedMessage {
        source,
        nonce,
        messageHash: transfer.message_hash(),
        returnDataHash: B256::ZERO,
    };
    [executing, minted, log(L2_TO_L2_MESSENGER, &relayed)]
}
