//! [`chain_by_id_or_name`]: the chain of a rollup configuration, which kona-node writes by name.
//!
//! alloy-chains, which kona writes with, knows the names. A name that it does not know is an error, never a
//! chain.

use alloy_chains::{Chain, NamedChain};
use crosscheck_p2p::ChainId;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a chain id, or the name that alloy-chains has for one.
///
/// # Errors
/// If it is neither.
pub fn chain_by_id_or_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ChainId, D::Error> {
    let chain = Value::deserialize(deserializer)?;
    let Some(name) = chain.as_str().filter(|text| text.starts_with(|first: char| !first.is_ascii_digit()))
    else {
        return ChainId::deserialize(chain).map_err(D::Error::custom);
    };
    let named: NamedChain = name.parse().map_err(|_| {
        D::Error::custom(format!(
            "{name:?} is not a known chain name: configure the node to write the chain's id"
        ))
    })?;
    Ok(ChainId::from(Chain::from(named).id()))
}
