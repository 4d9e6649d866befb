//! [`OddLog`]: a log of the messenger or of a bridge that the real contract does not emit, as far as it is
//! known here.
//!
//! It is a finding about a contract's code or about this build. It accuses nobody.

use alloy::primitives::B256;

/// Such a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddLog {
    /// The log's place among all logs of the block.
    pub log_index: u32,
    /// What is odd about it.
    pub kind: OddKind,
}

/// What is odd about a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OddKind {
    /// It is another event. A newer contract may have other events for transfers.
    #[error("the event {} is unknown to this build: upgrade Crosscheck", in_words(topic))]
    UnknownEvent {
        /// Its first topic, if it has one.
        topic: Option<B256>,
    },
    /// Its topics or its data are not those of its event.
    #[error("a {event} log with other topics or data than the event has")]
    Malformed {
        /// The event's name.
        event: &'static str,
    },
    /// A bridge sends a message that does not call the same bridge to relay a transfer.
    #[error("a bridge sends a message that is not a transfer")]
    UnknownCall,
    /// The log that the real contracts emit right beside it is not there, or says something else.
    #[error("a {event} log without the log that belongs to it")]
    Unpaired {
        /// The event's name.
        event: &'static str,
    },
    /// A bridge has minted for a message with another hash than that of its transfer. Real bridges send no
    /// such message: the payload was made by someone else.
    #[error("a transfer was executed by a message with the hash {emitted}, which is not its own")]
    OtherHash {
        /// The hash that the messenger emitted.
        emitted: B256,
    },
    /// A bridge has minted in a transaction that executed no message before.
    #[error("a transfer was executed without an executing message")]
    NotExecuted,
}

impl OddKind {
    /// Whether it may be the log of an initiation that cannot be read here: what such a block initiates is
    /// unknown.
    pub fn may_hide_initiation(&self) -> bool {
        match self {
            Self::UnknownEvent { .. } | Self::Malformed { .. } | Self::UnknownCall => true,
            Self::Unpaired { event } => matches!(*event, "SendETH" | "SendERC20"),
            Self::OtherHash { .. } | Self::NotExecuted => false,
        }
    }
}

fn in_words(topic: &Option<B256>) -> String {
    topic.map_or_else(|| "without a topic".to_owned(), |topic| topic.to_string())
}
