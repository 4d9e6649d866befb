//! Whether what an op-supernode or an interop filter answers is an opinion that can be compared with ours.
//! Pure.

use super::finding::ProbeVerdict;
use crate::sources::{SourceError, is_no_such_method};
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::ChainId;
use std::collections::BTreeSet;

/// Whether an op-supernode runs the chains of a dependency set that is watched. `set`: the chains' rules as
/// they are configured.
pub(super) fn supernode(set: &DependencySet, runs: &Result<BTreeSet<ChainId>, SourceError>) -> ProbeVerdict {
    let runs = match runs {
        Ok(runs) => runs,
        Err(error) if is_no_such_method(error) => {
            return ProbeVerdict::fault(
                "it is not an op-supernode: its super roots are of blocks whose messages it does not verify",
                "write the address of an op-supernode, without a chain id",
            );
        }
        Err(error) => return ProbeVerdict::undetermined(error),
    };
    let ids: Vec<String> = runs.iter().map(ToString::to_string).collect();
    let ids = ids.join(", ");
    let Some(first) = runs.first() else {
        return ProbeVerdict::doubt("it runs no chain", "check the configuration of the op-supernode");
    };
    if !runs.iter().all(|chain_id| set.contains(*chain_id)) {
        return ProbeVerdict::doubt(
            format!("it runs chains {ids}, and not all of them are watched here"),
            "its super roots are not compared: watch all of its chains, or leave it out of opinions.supernodes",
        );
    }
    match set.set_of(*first) {
        Ok(known) if known == *runs => ProbeVerdict::ok(format!("it runs the dependency set {ids}")),
        Ok(_) => ProbeVerdict::doubt(
            format!("it runs chains {ids}, which are not a dependency set"),
            "its super roots are not compared: fix dependency_set, or leave it out of opinions.supernodes",
        ),
        Err(_) => {
            ProbeVerdict::ok(format!("it runs chains {ids}; their dependency set is read from their nodes"))
        }
    }
}

/// Whether an interop filter checks anything.
pub(super) fn filter(is_passthrough: &Result<bool, SourceError>) -> ProbeVerdict {
    match is_passthrough {
        Ok(true) => ProbeVerdict::doubt(
            "it accepts every access list (--dangerously-enable-passthrough)",
            "its answers are not compared: start it without that flag",
        ),
        Ok(false) => {
            ProbeVerdict::ok("it is not in passthrough: it refuses an access list that must be refused")
        }
        Err(error) => ProbeVerdict::undetermined(error),
    }
}
