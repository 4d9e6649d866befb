//! What L1 says of this machine's clock, and of who signs a chain's unsafe blocks. Pure.

use super::finding::ProbeVerdict;
use super::reference::Reference;
use crate::sources::SourceError;
use alloy::primitives::Address;
use crosscheck_p2p::UnixSeconds;

/// How far the clock and L1's latest block may be apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockBounds {
    /// How many seconds a block may be ahead of the clock, as gossip has it.
    pub(crate) future: u64,
    /// How many seconds L1's latest block may be old.
    pub(crate) stall: u64,
}

/// Whether the clock can be right by L1's latest block.
pub(crate) fn clock(
    bounds: ClockBounds,
    now: UnixSeconds,
    latest: &Result<UnixSeconds, SourceError>,
) -> ProbeVerdict {
    let latest = match latest {
        Err(error) => return ProbeVerdict::undetermined(error),
        Ok(latest) => *latest,
    };
    let (ahead, age) = (latest.0.saturating_sub(now.0), now.0.saturating_sub(latest.0));
    if ahead > bounds.future {
        return ProbeVerdict::fault(
            format!("L1's latest block is {ahead} s ahead of this machine's clock"),
            "set the clock (NTP): while it is slow, valid gossip is ignored",
        );
    }
    if age > bounds.stall {
        return ProbeVerdict::doubt(
            format!("L1's latest block is {age} s old"),
            "either the L1 endpoint is behind, or this machine's clock is fast: check both",
        );
    }
    ProbeVerdict::ok(format!("L1's latest block is {age} s old"))
}

/// Who is configured to sign a chain's unsafe blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignerSettings {
    /// The SystemConfig that is configured. `None`: the reference's is read.
    pub(crate) system_config: Option<Address>,
    /// The signer that is configured, in place of what L1 names.
    pub(crate) signer: Option<Address>,
}

impl SignerSettings {
    /// The contract that is to be read. `None`: it is unknown.
    pub(crate) fn contract(&self, reference: Option<&Reference>) -> Option<Address> {
        self.system_config.or(reference.map(|reference| reference.system_config))
    }
}

/// Whether the SystemConfig that is configured is the chain's own.
pub(crate) fn system_config(configured: Address, reference: &Reference) -> ProbeVerdict {
    let Reference { by, system_config, .. } = reference;
    if *system_config == configured {
        return ProbeVerdict::ok(configured.to_string());
    }
    ProbeVerdict::fault(
        format!("system_config is {configured}, and {system_config} by {by}"),
        "correct system_config: the signer of another chain is read from it, and all of this chain's gossip is refused",
    )
}

/// Whether the contract names the signer that is honoured here. `named`: whom the contract names.
pub(crate) fn signer(
    configured: Option<Address>,
    contract: Address,
    named: &Result<Option<Address>, SourceError>,
) -> ProbeVerdict {
    match (named, configured) {
        (Err(error), _) => ProbeVerdict::undetermined(error),
        (Ok(None), _) => ProbeVerdict::fault(
            format!("the SystemConfig {contract} names no signer"),
            "check system_config, and that the L1 endpoint is of the right L1",
        ),
        (Ok(Some(named)), Some(configured)) if *named != configured => ProbeVerdict::fault(
            format!("the SystemConfig {contract} names {named}, and {configured} is configured"),
            "remove unsafe_block_signer unless it is intended: blocks of the chain's own signer are refused",
        ),
        (Ok(Some(named)), _) => ProbeVerdict::ok(format!("the SystemConfig {contract} names {named}")),
    }
}
