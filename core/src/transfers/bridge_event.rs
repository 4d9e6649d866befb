//! [`BridgeEvent`]: one log of the messenger or of a bridge, decoded.
//!
//! Only the canonical encoding is read, the one that Solidity writes. It does not look at other logs.

use super::bindings::{IEthBridge, IMessenger, ITokenBridge};
use super::{Asset, OddKind, SUPERCHAIN_ETH_BRIDGE, SUPERCHAIN_TOKEN_BRIDGE};
use crate::message::PROXY_TOPICS;
use alloy::primitives::{Address, B256, LogData, U256, hex};
use alloy::sol_types::abi::AbiDecoderConfig;
use alloy::sol_types::{SolCall, SolEvent};
use crosscheck_p2p::ChainId;

/// Nothing but what an encoder writes: no gaps, no dirty bytes, nothing after the end.
const STRICT: AbiDecoderConfig = AbiDecoderConfig::new().strict(true);

/// What the addresses of these contracts begin with.
const PREDEPLOYS: [u8; 19] = hex!("42000000000000000000000000000000000000");

/// A contract whose logs are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contract {
    Messenger,
    EthBridge,
    TokenBridge,
}

/// What both chains' logs say of a transfer, but for its nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) asset: Asset,
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) amount: U256,
    /// The chain at the other end.
    pub(super) peer: ChainId,
}

/// What a log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BridgeEvent {
    /// The messenger sends, or sends once more, a bridge's message.
    SentMessage { nonce: U256, movement: Movement },
    /// The messenger has executed a message, of a bridge or of anybody.
    RelayedMessage { source: ChainId, nonce: U256, message_hash: B256 },
    /// A bridge has burned.
    Send(Movement),
    /// A bridge has minted.
    Relay(Movement),
}

impl Contract {
    /// The contract at an address. `None`, after one comparison, for nearly all addresses.
    pub(super) fn at(address: &Address) -> Option<Self> {
        let (last, namespace) = address.split_last()?;
        if *namespace != PREDEPLOYS {
            return None;
        }
        match last {
            0x23 => Some(Self::Messenger),
            0x24 => Some(Self::EthBridge),
            0x28 => Some(Self::TokenBridge),
            _ => None,
        }
    }

    /// Reads a log of this contract. `None`: it is not about a transfer.
    pub(super) fn read(self, log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
        let topic = log.topics().first().copied();
        let Some(known) = topic else { return Err(OddKind::UnknownEvent { topic }) };
        if PROXY_TOPICS.contains(&known) {
            return Ok(None);
        }
        match (self, known) {
            (Self::Messenger, IMessenger::SentMessage::SIGNATURE_HASH) => sent_message(log),
            (Self::Messenger, IMessenger::RelayedMessage::SIGNATURE_HASH) => relayed_message(log),
            (Self::EthBridge, IEthBridge::SendETH::SIGNATURE_HASH) => send_eth(log),
            (Self::EthBridge, IEthBridge::RelayETH::SIGNATURE_HASH) => relay_eth(log),
            (Self::TokenBridge, ITokenBridge::SendERC20::SIGNATURE_HASH) => send_erc20(log),
            (Self::TokenBridge, ITokenBridge::RelayERC20::SIGNATURE_HASH) => relay_erc20(log),
            _ => Err(OddKind::UnknownEvent { topic }),
        }
    }
}

impl Asset {
    /// The event by which a bridge says that it has burned this asset.
    pub(super) const fn send_event(&self) -> &'static str {
        match self {
            Self::Eth => "SendETH",
            Self::Token(_) => "SendERC20",
        }
    }

    /// The event by which a bridge says that it has minted this asset.
    pub(super) const fn relay_event(&self) -> &'static str {
        match self {
            Self::Eth => "RelayETH",
            Self::Token(_) => "RelayERC20",
        }
    }
}

fn decode<E: SolEvent>(log: &LogData, event: &'static str) -> Result<E, OddKind> {
    E::decode_log_data_with_config(log, STRICT).map_err(|_| OddKind::Malformed { event })
}

/// Anybody may send any message to a bridge, which accepts those of its own kind alone. So only what a bridge
/// itself sends is a transfer.
fn sent_message(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let sent: IMessenger::SentMessage = decode(log, "SentMessage")?;
    let peer = ChainId::from(sent.destination);
    let movement = match sent.sender {
        SUPERCHAIN_ETH_BRIDGE => eth_call(&sent.message, peer),
        SUPERCHAIN_TOKEN_BRIDGE => token_call(&sent.message, peer),
        _ => return Ok(None),
    };
    let movement = movement.filter(|_| sent.target == sent.sender).ok_or(OddKind::UnknownCall)?;
    Ok(Some(BridgeEvent::SentMessage { nonce: sent.nonce, movement }))
}

fn eth_call(call: &[u8], peer: ChainId) -> Option<Movement> {
    let IEthBridge::relayETHCall { from, to, amount } =
        IEthBridge::relayETHCall::abi_decode_with_config(call, STRICT).ok()?;
    Some(Movement { asset: Asset::Eth, from, to, amount, peer })
}

fn token_call(call: &[u8], peer: ChainId) -> Option<Movement> {
    let ITokenBridge::relayERC20Call { token, from, to, amount } =
        ITokenBridge::relayERC20Call::abi_decode_with_config(call, STRICT).ok()?;
    Some(Movement { asset: Asset::Token(token), from, to, amount, peer })
}

fn relayed_message(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let relayed: IMessenger::RelayedMessage = decode(log, "RelayedMessage")?;
    let source = ChainId::from(relayed.source);
    let (nonce, message_hash) = (relayed.nonce, relayed.messageHash);
    Ok(Some(BridgeEvent::RelayedMessage { source, nonce, message_hash }))
}

fn send_eth(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let IEthBridge::SendETH { from, to, amount, destination } = decode(log, "SendETH")?;
    let peer = ChainId::from(destination);
    Ok(Some(BridgeEvent::Send(Movement { asset: Asset::Eth, from, to, amount, peer })))
}

fn relay_eth(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let IEthBridge::RelayETH { from, to, amount, source } = decode(log, "RelayETH")?;
    let peer = ChainId::from(source);
    Ok(Some(BridgeEvent::Relay(Movement { asset: Asset::Eth, from, to, amount, peer })))
}

fn send_erc20(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let ITokenBridge::SendERC20 { token, from, to, amount, destination } = decode(log, "SendERC20")?;
    let peer = ChainId::from(destination);
    Ok(Some(BridgeEvent::Send(Movement { asset: Asset::Token(token), from, to, amount, peer })))
}

fn relay_erc20(log: &LogData) -> Result<Option<BridgeEvent>, OddKind> {
    let ITokenBridge::RelayERC20 { token, from, to, amount, source } = decode(log, "RelayERC20")?;
    let peer = ChainId::from(source);
    Ok(Some(BridgeEvent::Relay(Movement { asset: Asset::Token(token), from, to, amount, peer })))
}

#[cfg(test)]
mod tests;
