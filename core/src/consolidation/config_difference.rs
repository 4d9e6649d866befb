//! [`ConfigDifference`]: where two rollup configurations of one chain say otherwise. Pure.

use super::{Fork, RollupConfig};
use core::fmt::Debug;

/// A field in which two rollup configurations differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigDifference {
    /// The field, as the node's configuration calls it.
    pub field: String,
    /// The one's value.
    pub one: String,
    /// The other's value.
    pub other: String,
}

impl RollupConfig {
    /// The fields in which another configuration differs from this one, as far as both are read.
    pub fn differences(&self, other: &Self) -> Vec<ConfigDifference> {
        let mut found = Differences::default();
        found.compare("l2_chain_id", &self.chain_id.to_string(), &other.chain_id.to_string());
        found.compare("l1_chain_id", &self.l1_chain_id, &other.l1_chain_id);
        found.compare("genesis.l1", &self.genesis.l1, &other.genesis.l1);
        found.compare("genesis.l2", &self.genesis.l2, &other.genesis.l2);
        found.compare("genesis.l2_time", &self.genesis.time.0, &other.genesis.time.0);
        found.compare("genesis.system_config", &self.genesis.system_config, &other.genesis.system_config);
        found.compare("block_time", &self.block_time, &other.block_time);
        for fork in Fork::ALL {
            let time = |config: &Self| config.forks.activation(fork).map(|time| time.0);
            found.compare(&format!("{fork}_time"), &time(self), &time(other));
        }
        found.compare("deposit_contract_address", &self.deposit_contract, &other.deposit_contract);
        found.compare("l1_system_config_address", &self.system_config, &other.system_config);
        // Not every node says these.
        if let (Some(one), Some(other)) = (self.canyon_fees, other.canyon_fees) {
            found.compare("chain_op_config", &one, &other);
        }
        if let (Some(one), Some(other)) = (self.pectra_blob_schedule, other.pectra_blob_schedule) {
            found.compare("pectra_blob_schedule_time", &one.0, &other.0);
        }
        found.0
    }
}

#[derive(Default)]
struct Differences(Vec<ConfigDifference>);

impl Differences {
    fn compare<T: PartialEq + Debug>(&mut self, field: &str, one: &T, other: &T) {
        if one != other {
            let (one, other) = (shown(one), shown(other));
            self.0.push(ConfigDifference { field: field.to_owned(), one, other });
        }
    }
}

/// A value as an operator would write it.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let text = text.strip_prefix("Some(").and_then(|text| text.strip_suffix(')')).unwrap_or(&text);
    if text == "None" { "not set".to_owned() } else { text.trim_matches('"').to_owned() }
}
