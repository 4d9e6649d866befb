//! [`AtStake`]: what the execution of invalid messages mints.
//!
//! The amounts are those of the bridges' own events on the executing chain, which they emit when they mint.
//! What other contracts do with a message is not known here: nothing at stake does not mean that no harm is
//! done.

use super::{Asset, BlockTransfers};
use crate::message::ExecutingMessage;
use alloy::primitives::U256;
use alloy::primitives::utils::format_ether;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// How many assets the line names.
const MOST_NAMED: usize = 4;

/// Amounts that a chain would mint if a block became safe. As a text: "would mint 1.5 ETH on chain 130".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtStake {
    chain_id: ChainId,
    amounts: BTreeMap<Asset, U256>,
}

/// What these messages of a block of this chain mint; `messages` are of the block whose transfers are given.
/// `None`: no amount of a bridge is known to depend on them.
///
/// A transfer belongs to the message whose payload hash is that of the transfer, in the same transaction. If
/// there is none, the payload is another encoding, and the transfer belongs to each message of the messenger
/// and of its source chain between the transaction's last relayed message and the transfer's. Each transfer
/// is counted once. A sum beyond 256 bits is the highest number that they hold.
pub fn at_stake(
    chain_id: ChainId,
    transfers: &BlockTransfers,
    messages: &[ExecutingMessage],
) -> Option<AtStake> {
    let mut amounts = BTreeMap::<Asset, U256>::new();
    for relayed in transfers.relayed() {
        let transfer = &relayed.transfer;
        if !transfer.amount.is_zero() && messages.iter().any(|message| relayed.is_by(message)) {
            let sum = amounts.entry(transfer.asset).or_default();
            *sum = sum.saturating_add(transfer.amount);
        }
    }
    (!amounts.is_empty()).then_some(AtStake { chain_id, amounts })
}

impl AtStake {
    /// The executing chain.
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The amount of each asset, in its unit. At least one, and none is 0.
    pub const fn amounts(&self) -> &BTreeMap<Asset, U256> {
        &self.amounts
    }
}

impl fmt::Display for AtStake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.amounts.len().min(MOST_NAMED);
        let rest = self.amounts.len().saturating_sub(named);
        f.write_str("would mint ")?;
        for (place, (asset, amount)) in (1_usize..).zip(self.amounts.iter().take(named)) {
            match place {
                1 => {}
                _ if place == named && rest == 0 => f.write_str(" and ")?,
                _ => f.write_str(", ")?,
            }
            match asset {
                Asset::Eth => write!(f, "{} ETH", grouped(&format_ether(*amount)))?,
                Asset::Token(token) => write!(f, "{} base units of {token}", grouped(&amount.to_string()))?,
            }
        }
        match rest {
            0 => {}
            1 => f.write_str(" and 1 other token")?,
            _ => write!(f, " and {rest} other tokens")?,
        }
        write!(f, " on chain {}", self.chain_id)
    }
}

/// A decimal number with commas between thousands, and without zeros at the end of its fraction.
fn grouped(number: &str) -> String {
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut text = String::with_capacity(number.len().saturating_mul(2));
    for (digit, left) in integer.chars().zip((0..integer.len()).rev()) {
        text.push(digit);
        if left > 0 && left.is_multiple_of(3) {
            text.push(',');
        }
    }
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        let _ = write!(text, ".{fraction}");
    }
    text
}

#[cfg(test)]
mod tests;
