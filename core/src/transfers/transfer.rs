//! [`Transfer`]: an amount of one asset that a bridge moves from one chain to another, and the message that
//! does it.
//!
//! It says what a transfer is. Whether it was initiated or executed is not said here.

use super::bindings::{IEthBridge, IMessenger, ITokenBridge};
use super::{SUPERCHAIN_ETH_BRIDGE, SUPERCHAIN_TOKEN_BRIDGE};
use crate::message::payload_hash;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{SolCall, SolEvent, SolValue};
use crosscheck_p2p::ChainId;
use std::fmt;

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// The native ETH of the chains. Its unit is wei.
    Eth,
    /// The token at this address, which is the same on both chains. Its unit is the token's smallest.
    Token(Address),
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eth => f.write_str("ETH"),
            Self::Token(token) => write!(f, "token {token}"),
        }
    }
}

/// A transfer by one of the bridges. Two transfers never are equal: the nonce counts the messages of the
/// source chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer {
    /// The chain that burns the amount.
    pub source: ChainId,
    /// The chain that mints it.
    pub destination: ChainId,
    /// The nonce of its message on the source chain, with the message version in its highest two bytes.
    pub nonce: U256,
    /// What is moved.
    pub asset: Asset,
    /// Who sends it.
    pub from: Address,
    /// Who receives it.
    pub to: Address,
    /// How much, in the asset's unit.
    pub amount: U256,
}

impl Transfer {
    /// The bridge, which has the same address on both chains.
    pub const fn bridge(&self) -> Address {
        match self.asset {
            Asset::Eth => SUPERCHAIN_ETH_BRIDGE,
            Asset::Token(_) => SUPERCHAIN_TOKEN_BRIDGE,
        }
    }

    /// The call that the source's bridge orders from the destination's.
    pub fn call(&self) -> Bytes {
        let Self { asset, from, to, amount, .. } = *self;
        match asset {
            Asset::Eth => IEthBridge::relayETHCall { from, to, amount }.abi_encode(),
            Asset::Token(token) => ITokenBridge::relayERC20Call { token, from, to, amount }.abi_encode(),
        }
        .into()
    }

    /// The hash by which the messenger knows its message, and emits it in `RelayedMessage`: that of the
    /// encoded destination, source, nonce, sender, target and call. Sender and target are the bridge.
    ///
    /// Spec: interop/predeploys.md, "Relaying Messages".
    pub fn message_hash(&self) -> B256 {
        let (destination, source) = (self.destination.as_u256(), self.source.as_u256());
        let fields = (destination, source, self.nonce, self.bridge(), self.bridge(), self.call());
        keccak256(fields.abi_encode_params())
    }

    /// The payload hash of the log that initiates it, the messenger's `SentMessage`. It does not cover the
    /// source chain, which is in the identifier of a message.
    pub fn payload_hash(&self) -> B256 {
        let (target, sender) = (self.bridge(), self.bridge());
        let (destination, nonce, message) = (self.destination.as_u256(), self.nonce, self.call());
        payload_hash(
            &IMessenger::SentMessage { destination, target, nonce, sender, message }.encode_log_data(),
        )
    }
}

#[cfg(test)]
mod tests;
