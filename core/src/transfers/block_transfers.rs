//! [`BlockTransfers`]: what one block initiates and executes of transfers.
//!
//! It is read from the block's proven logs while they are proven. It says nothing about any other block.

use super::{L2_TO_L2_MESSENGER, OddLog, Transfer};
use crate::message::{ExecutingMessage, Identifier};
use alloy::primitives::B256;

/// How many odd logs of a block are kept. The rest is only counted.
const MOST_ODD: usize = 64;

/// A transfer that a block initiates, or whose message it emits once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initiated {
    /// The place of the messenger's `SentMessage` log among all logs of the block.
    pub log_index: u32,
    /// The place of its transaction in the block.
    pub transaction_index: u32,
    /// The transfer.
    pub transfer: Transfer,
    /// The messenger's hash of its message.
    pub message_hash: B256,
    /// Whether the bridge's own event does not follow: the message was sent before, and anybody may have the
    /// messenger emit it again. Nothing is burned then, but it proves that the amount was.
    pub is_resent: bool,
}

/// A transfer that a block executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// The place of the messenger's `RelayedMessage` log among all logs of the block. The bridge's own event
    /// is right before it.
    pub log_index: u32,
    /// The place of its transaction in the block.
    pub transaction_index: u32,
    /// The transfer, as the bridge's event has it, with the nonce of the messenger's.
    pub transfer: Transfer,
    /// The messenger's hash of this transfer's message.
    pub message_hash: B256,
    /// The payload hash of the log that initiates this transfer.
    pub payload_hash: B256,
    /// The first place among the logs where the message that was executed for it may be: after the
    /// transaction's last `RelayedMessage` before, because the messenger executes one message after the
    /// other.
    pub since: u32,
    /// Whether an executing message in that range has exactly this payload hash. If not, its payload is
    /// another encoding of the transfer, which no bridge has sent.
    pub is_bound: bool,
    /// Where the message that was executed for it claims to be initiated: the last one in that range with
    /// this payload hash; without any, the last one that names the messenger and the source chain.
    pub cited: Option<Identifier>,
}

impl Relayed {
    /// Whether this message may be the one that was executed for the transfer. If the payload hash is there,
    /// no other message is.
    pub fn is_by(&self, message: &ExecutingMessage) -> bool {
        self.is_in_range(message)
            && (!self.is_bound || message.message.payload_hash == self.payload_hash)
            && message.message.identifier.origin == L2_TO_L2_MESSENGER
            && message.message.identifier.chain_id == self.transfer.source
    }

    const fn is_in_range(&self, message: &ExecutingMessage) -> bool {
        self.since <= message.log_index && message.log_index < self.log_index
    }

    /// Finds the message that was executed for it, among those of its block in log order.
    pub(super) fn bind(&mut self, executed: &[ExecutingMessage]) {
        let first = executed.partition_point(|message| message.log_index < self.since);
        let after = executed.get(first..).unwrap_or_default();
        let before = after.iter().take_while(|message| self.is_in_range(message));
        let (mut by_place, mut by_payload) = (None, None);
        for message in before.filter(|message| self.is_by(message)) {
            by_place = Some(message.message.identifier);
            if message.message.payload_hash == self.payload_hash {
                by_payload = by_place;
            }
        }
        self.is_bound = by_payload.is_some();
        self.cited = by_payload.or(by_place);
    }
}

/// The transfers in a block. Most blocks have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockTransfers {
    pub(super) initiated: Vec<Initiated>,
    pub(super) relayed: Vec<Relayed>,
    odd: Vec<OddLog>,
    odd_count: u32,
    may_hide_initiation: bool,
}

impl BlockTransfers {
    /// What the block initiates, in log order.
    pub fn initiated(&self) -> &[Initiated] {
        &self.initiated
    }

    /// What the block executes, in log order.
    pub fn relayed(&self) -> &[Relayed] {
        &self.relayed
    }

    /// The first 64 logs of the messenger and of the bridges that the real contracts do not emit.
    pub fn odd(&self) -> &[OddLog] {
        &self.odd
    }

    /// How many such logs there are.
    pub const fn odd_count(&self) -> u32 {
        self.odd_count
    }

    /// Whether the block may initiate what cannot be read here.
    pub const fn may_hide_initiation(&self) -> bool {
        self.may_hide_initiation
    }

    /// How many bytes it takes in memory, beside itself.
    pub const fn weight(&self) -> usize {
        let initiated = self.initiated.capacity().saturating_mul(size_of::<Initiated>());
        let relayed = self.relayed.capacity().saturating_mul(size_of::<Relayed>());
        let odd = self.odd.capacity().saturating_mul(size_of::<OddLog>());
        initiated.saturating_add(relayed).saturating_add(odd)
    }

    pub(super) fn note(&mut self, odd: OddLog) {
        self.odd_count = self.odd_count.saturating_add(1);
        self.may_hide_initiation |= odd.kind.may_hide_initiation();
        if self.odd.len() < MOST_ODD {
            self.odd.push(odd);
        }
    }

    pub(super) fn shrink(&mut self) {
        self.initiated.shrink_to_fit();
        self.relayed.shrink_to_fit();
        self.odd.shrink_to_fit();
    }

    /// Transfers for tests of what is made of them.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn for_tests(initiated: Vec<Initiated>, relayed: Vec<Relayed>, may_hide_initiation: bool) -> Self {
        Self { initiated, relayed, odd: Vec::new(), odd_count: 0, may_hide_initiation }
    }
}
