//! [`Alert`]: what is reported to an operator, under a key that stays the same for as long as it is about
//! the same.

use super::kind::{AlertKind, Severity};
use crate::message::BlockKey;
use alloy::primitives::B256;
use crosscheck_p2p::{ChainId, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which kinds share one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// An invalid block: its messages, the verdict against it, who attested it and who called it safe.
    InvalidBlock,
    /// A kind that is reported by itself.
    Of(AlertKind),
}

/// What an alert is about, within its chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The chain.
    Chain,
    /// A block.
    Block {
        /// Its height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// A message: the place of the inbox's log in a block.
    Message {
        /// The block's height.
        number: u64,
        /// The block's hash.
        hash: B256,
        /// The log's place among all logs of the block.
        log_index: u32,
    },
    /// Endpoints that disagree, by their names.
    Endpoints(String),
    /// A part of the program.
    Part(String),
}

/// What an alert is about. Stable: receivers recognise an incident by it, over any restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertKey {
    /// The kinds that it may be of.
    pub family: Family,
    /// The chain. `None`: all chains, as with L1 and the ledger.
    pub chain_id: Option<ChainId>,
    /// What it is about.
    pub subject: Subject,
}

/// What is reported to an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is about.
    pub key: AlertKey,
    /// The kind of the fact that weighs most now. Of a resolved alert: that weighed most.
    pub kind: AlertKind,
    /// How urgent it is now. Of a resolved alert: how urgent it was.
    pub severity: Severity,
    /// What is the matter, in one sentence.
    pub summary: String,
    /// How much is at stake, in words, if somebody worked that out.
    pub at_stake: Option<String>,
    /// What was already done, in words, oldest first.
    pub done: Vec<String>,
    /// The ids of its first events.
    pub ids: Vec<u64>,
    /// Since when it is known.
    pub since: UnixSeconds,
}

impl AlertKey {
    /// The incident of an invalid block.
    pub const fn invalid_block(block: BlockKey) -> Self {
        let BlockKey { chain_id, number, hash } = block;
        let subject = Subject::Block { number, hash };
        Self { family: Family::InvalidBlock, chain_id: Some(chain_id), subject }
    }

    /// What a kind says of a chain.
    pub const fn of(kind: AlertKind, chain_id: Option<ChainId>, subject: Subject) -> Self {
        Self { family: Family::Of(kind), chain_id, subject }
    }
}

impl Subject {
    /// A block as a subject.
    pub const fn block(block: BlockKey) -> Self {
        Self::Block { number: block.number, hash: block.hash }
    }
}

/// The key as one text, for receivers that deduplicate by a text.
impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family {
            Family::InvalidBlock => f.write_str("InvalidBlock")?,
            Family::Of(kind) => write!(f, "{kind:?}")?,
        }
        if let Some(chain_id) = self.chain_id {
            write!(f, "/{chain_id}")?;
        }
        match &self.subject {
            Subject::Chain => Ok(()),
            Subject::Block { number, hash } => write!(f, "/{number}/{hash}"),
            Subject::Message { number, hash, log_index } => write!(f, "/{number}/{hash}/{log_index}"),
            Subject::Endpoints(name) | Subject::Part(name) => write!(f, "/{name}"),
        }
    }
}
