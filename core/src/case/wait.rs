//! [`Wait`]: what an open case waits for, and whose turn it is.

use core::fmt;
use crosscheck_p2p::ChainId;
use serde::Serialize;

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaited {
    /// The block's height is not local-safe yet.
    LocalSafe,
    /// The execution client's block at or with that hash.
    Block,
    /// The block's receipts.
    Receipts,
    /// The block that a message was initiated in.
    Initiating,
    /// What a block that a message cites rests on itself.
    CitedBlock,
    /// Another chain's block at a timestamp at which messages are both initiated and executed.
    SameTimestamp,
    /// What L1 says of the block.
    L1,
    /// A node that has derived the chain and has the same block as its rollup node.
    SecondOpinion,
    /// The interop rules that apply to a message of the block.
    Rules,
}

/// Why it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The chain or its client has not reached that block.
    NotYet,
    /// The endpoint failed.
    EndpointError,
    /// The chain's own node, or L1, is on another branch for now, or its client's blocks do not link up.
    OtherFork,
    /// What the block must contain cannot be determined by this version: a fork that it does not know.
    Unsupported,
    /// Only the chain's own node has it, and that node follows a source or did not derive the chain at that
    /// height.
    SecondHand,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NotYet, Self::EndpointError, Self::OtherFork, Self::Unsupported, Self::SecondHand];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotYet => "not-yet",
            Self::EndpointError => "endpoint-error",
            Self::OtherFork => "other-fork",
            Self::Unsupported => "unsupported",
            Self::SecondHand => "second-hand",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::NotYet => "not yet",
            Self::EndpointError => "an endpoint fails",
            Self::OtherFork => "its node or L1 is on another branch",
            Self::Unsupported => "this build does not support it",
            Self::SecondHand => "its node did not derive it",
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { awaited, chain_id, cause } = self;
        match awaited {
            Awaited::LocalSafe => write!(f, "its height to be local-safe on chain {chain_id}"),
            Awaited::Block => write!(f, "a block of chain {chain_id}"),
            Awaited::Receipts => write!(f, "the receipts of a block of chain {chain_id}"),
            Awaited::Rules => write!(f, "the interop rules of chain {chain_id}"),
            Awaited::Initiating => write!(f, "a block of chain {chain_id} that a message cites"),
            Awaited::CitedBlock => write!(f, "the blocks that a cited block of chain {chain_id} depends on"),
            Awaited::SameTimestamp => write!(f, "a block of chain {chain_id} at the same timestamp"),
            Awaited::SecondOpinion => {
                write!(f, "a node that derives chain {chain_id} and agrees with its rollup node")
            }
            Awaited::L1 => write!(f, "the L1 data of a block of chain {chain_id}"),
        }?;
        write!(f, " ({})", cause.in_words())
    }
}

/// What an open case waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Wait {
    /// What is missing.
    #[serde(rename = "for")]
    pub awaited: Awaited,
    /// Of which chain.
    pub chain_id: ChainId,
    /// Why.
    pub cause: Cause,
}
