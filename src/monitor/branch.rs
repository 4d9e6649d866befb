//! Where a chain turned off from what was read of it, and whether it did at all.
//!
//! A block that is not a child of the last one read is a reorg only if the clients report one chain: what the
//! new block is built on must be what they have at that height, down to a block that was read. If they call
//! another block canonical there, they contradict themselves: then nothing is known of the chain, and nothing
//! that was read is dropped. Every step goes one block down or ends: it cannot loop.
//!
//! To replace a block, op-supernode takes its client back: it has it make a sibling of the block's parent,
//! which differs in the last byte of the extra data alone, and then the parent again. That sibling is not a
//! reorg. It disappears soon, and nothing ever is built on it.

use super::block_source::BlockSource;
use crate::sources::SourceError;
use alloy::consensus::Header;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_core::heads::RecentBlocks;

/// What is not a child of the last block that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fork {
    /// The block. `None`: it is the tip itself, which another block than the one read.
    pub(super) child: Option<BlockNumHash>,
    /// What it is built on, or the tip.
    pub(super) parent: BlockNumHash,
}

/// The result of a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Other blocks are above this height now.
    Reorg {
        /// The highest block that stays. `None`: none of those that were read.
        kept: Option<u64>,
    },
    /// The chain moved while it was checked.
    Moved,
    /// The client is being taken back: its tip is a sibling that was made for that.
    TakenBack,
}

/// Clients that report two chains at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub(super) struct Contradiction {
    /// A block that it calls canonical. `None`: its tip.
    pub(super) child: Option<BlockNumHash>,
    /// The height below it.
    pub(super) height: u64,
    /// What the child is built on.
    pub(super) expected: B256,
    /// What it calls canonical there.
    pub(super) reported: B256,
}

impl Contradiction {
    /// What is reported, and what can be done about it.
    fn text(&self) -> String {
        const REMEDY: &str = "either it remained on a dead branch after a replacement (restart it, or let its rollup \
                              node set its head), or a load balancer has backends on two branches (list each backend \
                              in `execution` instead); nothing is read until its blocks form one chain";
        let Self { child, height, expected, reported } = self;
        let claim = child.map_or_else(
            || format!("its latest block {height} is {expected}"),
            |child| format!("the parent of its block {} ({}) is {expected}", child.number, child.hash),
        );
        format!(
            "its execution client contradicts itself: {claim}, but block {height} is {reported}; {REMEDY}"
        )
    }
}

/// Why it is not known where a chain turned off.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum BranchError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    #[error("block {number} was removed from its execution endpoints while it was being read")]
    Gone { number: u64 },
}

/// Walks down from a fork to a block that was read, and checks on the way that the clients report one chain.
pub(super) async fn turn<S: BlockSource>(
    source: &S,
    recent: &RecentBlocks,
    fork: Fork,
) -> Result<Turn, BranchError> {
    let Fork { mut child, mut parent } = fork;
    loop {
        match source.canonical_hash(parent.number).await? {
            Some(reported) if reported == parent.hash => {}
            Some(reported) => return contradicted(source, child, parent, reported).await,
            None => return Ok(Turn::Moved),
        }
        match recent.hash_at(parent.number) {
            Some(known) if known == parent.hash => return Ok(Turn::Reorg { kept: Some(parent.number) }),
            None => return Ok(Turn::Reorg { kept: None }),
            Some(_) => {}
        }
        let gone = BranchError::Gone { number: parent.number };
        let block = source.block_by_hash(parent.hash).await?.ok_or(gone)?;
        if child.is_none()
            && let Some(known) = recent.hash_at(parent.number)
            && let Some(known) = source.block_by_hash(known).await?
            && is_rewind_sibling(known.header(), block.header())
        {
            return Ok(Turn::TakenBack);
        }
        let Some(below) = parent.number.checked_sub(1) else { return Ok(Turn::Reorg { kept: None }) };
        child = Some(parent);
        parent = BlockNumHash { number: below, hash: block.header().parent_hash };
    }
}

/// Whether a header is another one with the last byte of its extra data inverted.
fn is_rewind_sibling(known: &Header, tip: &Header) -> bool {
    let mut extra_data = known.extra_data.to_vec();
    let Some(last) = extra_data.last_mut() else { return false };
    *last ^= 0xff;
    *tip == Header { extra_data: extra_data.into(), ..known.clone() }
}

/// Another block is reported below the child. If the child is still reported, both are reported at once.
async fn contradicted<S: BlockSource>(
    source: &S,
    child: Option<BlockNumHash>,
    parent: BlockNumHash,
    reported: B256,
) -> Result<Turn, BranchError> {
    let is_still_reported = match child {
        Some(child) => source.canonical_hash(child.number).await? == Some(child.hash),
        None => source.tip().await?.position() == parent,
    };
    if !is_still_reported {
        return Ok(Turn::Moved);
    }
    Err(Contradiction { child, height: parent.number, expected: parent.hash, reported }.into())
}
