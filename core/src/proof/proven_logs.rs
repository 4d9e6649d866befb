//! [`ProvenLogs`]: the logs of one block, from receipts that hash to the receipts root of its header.
//!
//! There is no other way to get one: unproven receipts cannot be used.

use super::{HashedReceipt, VerifiedBlock};
use crate::message::{BlockKey, DecodeError, ExecutingMessage, payload_hash};
use crate::transfers::{BlockTransfers, TransferReader};
use alloy::consensus::proofs::ordered_trie_root_with_encoder;
use alloy::primitives::{Address, B256};
use crosscheck_p2p::{ChainId, UnixSeconds};

/// One log of a block: what a message's identifier and payload hash speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenLog {
    /// The contract that emitted it.
    pub origin: Address,
    /// `keccak256` of its topics and data.
    pub payload_hash: B256,
}

/// One `ExecutingMessage` log of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The log's place among all logs of the block.
    pub log_index: u32,
    /// The place of the transaction that emitted it in the block.
    pub transaction_index: u32,
    /// Whether that transaction is a deposit.
    pub by_deposit: bool,
    /// The message.
    pub message: ExecutingMessage,
}

/// A log of the inbox that looks like an `ExecutingMessage` and is none, or is of an event that is not known
/// here. Every verifier skips the former: it is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// The log's place among all logs of the block.
    pub log_index: u32,
    /// What is wrong with it.
    pub error: DecodeError,
}

/// All logs of one block, proven against its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenLogs {
    chain_id: ChainId,
    hash: B256,
    number: u64,
    timestamp: UnixSeconds,
    /// How many of the logs, from the first, were emitted by deposits.
    deposit_logs: u32,
    logs: Vec<ProvenLog>,
    executed: Vec<Executed>,
    undecodable: Vec<Undecodable>,
    transfers: BlockTransfers,
}

/// Why receipts prove nothing about a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The receipts are not those that the header commits to.
    #[error("the receipts of block {hash} hash to {found}, not to {claimed}")]
    ReceiptsRoot {
        /// The block.
        hash: B256,
        /// The root in its header.
        claimed: B256,
        /// The root of the receipts given.
        found: B256,
    },
    /// A block with more logs than an index can count.
    #[error("block {hash} has more logs than 32 bits can count")]
    TooManyLogs {
        /// The block.
        hash: B256,
    },
}

impl ProvenLogs {
    /// Proves the receipts of a block, in transaction order, and reads its logs.
    ///
    /// # Errors
    /// If the receipts do not hash to the header's receipts root.
    pub fn prove_hashed(
        chain_id: ChainId,
        block: &VerifiedBlock,
        receipts: &[HashedReceipt],
    ) -> Result<Self, ProofError> {
        let found = ordered_trie_root_with_encoder(receipts, HashedReceipt::encode);
        let (hash, claimed) = (block.hash(), block.header().receipts_root);
        if found != claimed {
            return Err(ProofError::ReceiptsRoot { hash, claimed, found });
        }
        let count = receipts.iter().map(|receipt| receipt.logs.len()).fold(0, usize::saturating_add);
        if u32::try_from(count).is_err() {
            return Err(ProofError::TooManyLogs { hash });
        }
        let mut logs = Vec::with_capacity(count);
        let (mut executed, mut undecodable) = (Vec::new(), Vec::new());
        let (mut deposit_logs, mut transfers) = (0_u32, TransferReader::new(chain_id));
        let emitted = (0_u32..).zip(receipts).flat_map(|(transaction_index, receipt)| {
            let by_deposit = receipt.is_deposit();
            receipt.logs.iter().map(move |log| (transaction_index, by_deposit, log))
        });
        for (log_index, (transaction_index, by_deposit, log)) in (0_u32..).zip(emitted) {
            if by_deposit && log_index == deposit_logs {
                deposit_logs = deposit_logs.saturating_add(1);
            }
            logs.push(ProvenLog { origin: log.address, payload_hash: payload_hash(&log.data) });
            transfers.read(log_index, transaction_index, log);
            match ExecutingMessage::decode(log_index, log) {
                Ok(None) => {}
                Ok(Some(message)) => {
                    executed.push(Executed { log_index, transaction_index, by_deposit, message });
                }
                Err(error) => undecodable.push(Undecodable { log_index, error }),
            }
        }
        executed.shrink_to_fit();
        undecodable.shrink_to_fit();
        let transfers = transfers.finish(executed.iter().map(|executed: &Executed| executed.message));
        let (number, timestamp) = (block.number(), block.timestamp());
        Ok(Self { chain_id, hash, number, timestamp, deposit_logs, logs, executed, undecodable, transfers })
    }

    /// Which block they are of.
    pub const fn key(&self) -> BlockKey {
        BlockKey { chain_id: self.chain_id(), number: self.number(), hash: self.hash() }
    }

    /// The block's chain.
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The block's hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// The block's height.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The block's timestamp.
    pub const fn timestamp(&self) -> UnixSeconds {
        self.timestamp
    }

    /// How many bytes it takes in memory.
    pub const fn weight(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.logs.capacity().saturating_mul(size_of::<ProvenLog>()))
            .saturating_add(self.executed.capacity().saturating_mul(size_of::<Executed>()))
            .saturating_add(self.undecodable.capacity().saturating_mul(size_of::<Undecodable>()))
            .saturating_add(self.transfers.weight())
    }

    /// How many logs the block has.
    pub const fn len(&self) -> usize {
        self.logs.len()
    }

    /// Whether the block has no logs.
    pub const fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// The log with this index in the block.
    pub fn log(&self, index: u32) -> Option<&ProvenLog> {
        self.logs.get(usize::try_from(index).ok()?)
    }

    /// Whether the block that would replace this one by its deposits has this log too, at the same index: the
    /// logs before any that a user's transaction emitted.
    pub const fn survives_replacement(&self, index: u32) -> bool {
        index < self.deposit_logs
    }

    /// The index of the first log with this origin and payload.
    pub fn find(&self, origin: Address, payload_hash: B256) -> Option<u32> {
        let wanted = ProvenLog { origin, payload_hash };
        self.logs.iter().position(|log| *log == wanted).and_then(|index| u32::try_from(index).ok())
    }

    /// The messages that the block executed, in order.
    pub fn executed(&self) -> &[Executed] {
        &self.executed
    }

    /// The logs of the inbox that cannot be read here as messages, though they may be meant for some, in
    /// order.
    pub fn undecodable(&self) -> &[Undecodable] {
        &self.undecodable
    }

    /// What the block initiates and executes of the bridges' transfers.
    pub const fn transfers(&self) -> &BlockTransfers {
        &self.transfers
    }

    /// Logs for tests of the rules, which are about logs and not about how they were proven.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn for_tests(chain_id: ChainId, number: u64, timestamp: UnixSeconds, logs: Vec<ProvenLog>) -> Self {
        Self {
            chain_id,
            hash: B256::ZERO,
            number,
            timestamp,
            deposit_logs: 0,
            logs,
            executed: Vec::new(),
            undecodable: Vec::new(),
            transfers: BlockTransfers::default(),
        }
    }

    /// The same logs, with executed messages.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn with_executed(mut self, executed: Vec<Executed>) -> Self {
        self.executed = executed;
        self
    }

    /// The same logs, the first of which deposits emitted.
    #[cfg(any(test, feature = "fixtures"))]
    pub const fn with_deposit_logs(mut self, deposit_logs: u32) -> Self {
        self.deposit_logs = deposit_logs;
        self
    }

    /// The same logs, of another block.
    #[cfg(any(test, feature = "fixtures"))]
    pub fn with_hash(mut self, hash: B256) -> Self {
        self.hash = hash;
        self
    }
}

#[cfg(test)]
mod tests;
