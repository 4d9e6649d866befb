//! Whether an endpoint is of the chain that it is configured for: by its chain id, and by its first block.
//! Pure.

use super::finding::ProbeVerdict;
use super::reference::Reference;
use crate::sources::SourceError;
use alloy::eips::BlockNumHash;
use alloy::primitives::B256;
use crosscheck_p2p::ChainId;

/// Whether it serves this chain.
pub(crate) fn chain_id(expected: ChainId, served: &Result<ChainId, SourceError>) -> ProbeVerdict {
    match served {
        Err(error) => ProbeVerdict::undetermined(error),
        Ok(served) if *served == expected => ProbeVerdict::ok(served.to_string()),
        Ok(served) => ProbeVerdict::fault(
            format!("it serves chain {served}, not chain {expected}"),
            "configure an endpoint of the right chain",
        ),
    }
}

/// Whether L1 is the one that these chains are derived from.
pub(crate) fn l1_chain_id(
    chains: &[(ChainId, Option<Reference>)],
    served: &Result<ChainId, SourceError>,
) -> ProbeVerdict {
    let served = match served {
        Err(error) => return ProbeVerdict::undetermined(error),
        Ok(served) => *served,
    };
    let known = || chains.iter().filter_map(|(chain_id, known)| Some((chain_id, known.as_ref()?)));
    match known().find(|(_, known)| known.l1_chain_id != served) {
        Some((chain_id, Reference { by, l1_chain_id, .. })) => ProbeVerdict::fault(
            format!("it serves chain {served}, but chain {chain_id} is derived from {l1_chain_id}, by {by}"),
            "configure an endpoint of the right L1",
        ),
        None if known().next().is_none() => {
            ProbeVerdict::ok(format!("{served}; the L1 of the chains is not known"))
        }
        None => ProbeVerdict::ok(served.to_string()),
    }
}

/// Whether an endpoint has this first block. `found`: its block at that height, if it has any.
pub(crate) fn genesis(
    expected: BlockNumHash,
    by: &str,
    found: &Result<Option<B256>, SourceError>,
) -> ProbeVerdict {
    let BlockNumHash { number, hash } = expected;
    match found {
        Err(error) => ProbeVerdict::undetermined(error),
        Ok(None) => ProbeVerdict::ok(format!("it no longer has block {number}, so it cannot be checked")),
        Ok(Some(found)) if *found == hash => ProbeVerdict::ok(format!("block {number} is {hash}")),
        Ok(Some(found)) => ProbeVerdict::fault(
            format!(
                "block {number} is {found} there, and {hash} by {by}: it is another chain with the same id"
            ),
            "configure an endpoint of the right chain; blocks of this chain prove nothing",
        ),
    }
}

/// Whether a rollup node derives the chain from this first block.
pub(crate) fn node_genesis(expected: &Reference, reported: BlockNumHash) -> ProbeVerdict {
    let BlockNumHash { number, hash } = reported;
    if reported == expected.l2 {
        return ProbeVerdict::ok(format!("block {number} is {hash}"));
    }
    let Reference { l2, by, .. } = expected;
    ProbeVerdict::fault(
        format!(
            "it begins at block {number} ({hash}), and by {by} the chain begins at {} ({})",
            l2.number, l2.hash
        ),
        "give the node the right rollup configuration",
    )
}
