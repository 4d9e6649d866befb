//! [`TransferReader`]: reads the transfers of one block out of its logs, in order.
//!
//! A transfer is known from two logs that the contracts emit right after each other. The sending messenger
//! emits the message, then the bridge its own event: the message alone says everything and is bound by its
//! hash, the bridge's event confirms it. The executing bridge emits its own event, then the messenger the
//! message's nonce: the event proves the mint and its amount, the nonce makes it the message's.
//!
//! It proves nothing: whoever calls it has proven the logs.

use super::bridge_event::{BridgeEvent, Contract, Movement};
use super::{BlockTransfers, Initiated, OddKind, OddLog, Relayed, Transfer};
use crate::message::ExecutingMessage;
use alloy::primitives::{B256, Log, U256};
use crosscheck_p2p::ChainId;

/// The first of two logs that belong together.
#[derive(Clone, Copy, Debug)]
enum First {
    Sent { nonce: U256, movement: Movement },
    Relay(Movement),
}

/// Where a log is.
#[derive(Clone, Copy, Debug)]
struct At {
    log_index: u32,
    transaction_index: u32,
}

impl At {
    fn is_right_before(self, next: Self) -> bool {
        self.transaction_index == next.transaction_index
            && self.log_index.checked_add(1) == Some(next.log_index)
    }
}

/// Reads one block.
#[derive(Debug)]
pub(crate) struct TransferReader {
    chain_id: ChainId,
    found: BlockTransfers,
    /// The transaction of the last log.
    transaction_index: Option<u32>,
    /// Since which log a message may be executed for the next relayed transfer.
    since: u32,
    /// The log before, if another one may belong to it.
    held: Option<(At, First)>,
}

impl TransferReader {
    /// A reader of a block of this chain, before its first log.
    pub(crate) fn new(chain_id: ChainId) -> Self {
        Self { chain_id, found: BlockTransfers::default(), transaction_index: None, since: 0, held: None }
    }

    /// Takes the next log of the block.
    pub(crate) fn read(&mut self, log_index: u32, transaction_index: u32, log: &Log) {
        if self.transaction_index != Some(transaction_index) {
            self.transaction_index = Some(transaction_index);
            self.since = log_index;
        }
        let Some(contract) = Contract::at(&log.address) else { return };
        match contract.read(&log.data) {
            Ok(None) => {}
            Ok(Some(event)) => self.take(At { log_index, transaction_index }, event),
            Err(kind) => self.found.note(OddLog { log_index, kind }),
        }
    }

    /// The transfers of the block, with the messages that were executed for them. `executed`: all messages
    /// that the block executed, in log order.
    pub(crate) fn finish(mut self, executed: impl Iterator<Item = ExecutingMessage>) -> BlockTransfers {
        let held = self.held.take();
        self.give_up(held);
        let mut found = self.found;
        if !found.relayed.is_empty() {
            let executed: Vec<_> = executed.collect();
            for relayed in &mut found.relayed {
                relayed.bind(&executed);
            }
            let uncited = found.relayed.iter().filter(|relayed| relayed.cited.is_none());
            let uncited: Vec<u32> = uncited.map(|relayed| relayed.log_index).collect();
            for log_index in uncited {
                found.note(OddLog { log_index, kind: OddKind::NotExecuted });
            }
        }
        found.shrink();
        found
    }

    fn take(&mut self, at: At, event: BridgeEvent) {
        let held = self.held.take();
        let before = held.filter(|(first, _)| first.is_right_before(at));
        if before.is_none() {
            self.give_up(held);
        }
        match (before, event) {
            (Some((sent, First::Sent { nonce, movement })), BridgeEvent::Send(burned))
                if burned == movement =>
            {
                self.initiated(sent, nonce, &movement, false);
            }
            (
                Some((_, First::Relay(minted))),
                BridgeEvent::RelayedMessage { source, nonce, message_hash },
            ) if minted.peer == source => {
                self.relayed(at, nonce, &minted, message_hash);
            }
            (before, event) => {
                self.give_up(before);
                self.begin(at, event);
            }
        }
        if matches!(event, BridgeEvent::RelayedMessage { .. }) {
            self.since = at.log_index.saturating_add(1);
        }
    }

    /// Takes a log that does not belong to the one before.
    fn begin(&mut self, at: At, event: BridgeEvent) {
        match event {
            BridgeEvent::SentMessage { nonce, movement } => {
                self.held = Some((at, First::Sent { nonce, movement }));
            }
            BridgeEvent::Relay(movement) => self.held = Some((at, First::Relay(movement))),
            BridgeEvent::Send(movement) => self.unpaired(at.log_index, movement.asset.send_event()),
            // A message that moves nothing.
            BridgeEvent::RelayedMessage { .. } => {}
        }
    }

    /// The second log has not come.
    fn give_up(&mut self, first: Option<(At, First)>) {
        match first {
            None => {}
            Some((at, First::Sent { nonce, movement })) => self.initiated(at, nonce, &movement, true),
            Some((at, First::Relay(movement))) => {
                self.unpaired(at.log_index, movement.asset.relay_event());
            }
        }
    }

    fn unpaired(&mut self, log_index: u32, event: &'static str) {
        self.found.note(OddLog { log_index, kind: OddKind::Unpaired { event } });
    }

    fn initiated(&mut self, at: At, nonce: U256, movement: &Movement, is_resent: bool) {
        let Movement { asset, from, to, amount, peer } = *movement;
        let transfer = Transfer { source: self.chain_id, destination: peer, nonce, asset, from, to, amount };
        let At { log_index, transaction_index } = at;
        let message_hash = transfer.message_hash();
        self.found.initiated.push(Initiated {
            log_index,
            transaction_index,
            transfer,
            message_hash,
            is_resent,
        });
    }

    fn relayed(&mut self, at: At, nonce: U256, movement: &Movement, emitted: B256) {
        let Movement { asset, from, to, amount, peer } = *movement;
        let transfer = Transfer { source: peer, destination: self.chain_id, nonce, asset, from, to, amount };
        let At { log_index, transaction_index } = at;
        let (message_hash, payload_hash) = (transfer.message_hash(), transfer.payload_hash());
        if emitted != message_hash {
            self.found.note(OddLog { log_index, kind: OddKind::OtherHash { emitted } });
        }
        self.found.relayed.push(Relayed {
            log_index,
            transaction_index,
            transfer,
            message_hash,
            payload_hash,
            since: self.since,
            is_bound: false,
            cited: None,
        });
    }
}

#[cfg(test)]
mod tests;
