//! [`RulesAsker`]: reads the configuration of a chain's rollup node, and compares it with Crosscheck's.
//!
//! Values that are not known here are learnt from the node. It never changes configured values, and accuses
//! no one.

use super::origin_witnesses::OriginWitnesses;
use super::rule_check::{
    NodeReport, OwnRules, ReportedConfig, RuleDifference, TakenFork, differences, taken_forks,
};
use crate::ledger::{GenesisSource, Ledger, LedgerError};
use crate::networks::KnownNetwork;
use crate::sources::{RollupNodes, SourceError};
use alloy::primitives::Address;
use crosscheck_core::consolidation::UnknownForks;
use crosscheck_core::validity::{DEFAULT_EXPIRY_WINDOW, DependencySet, ReportedRules, RuleAgreement};
use crosscheck_p2p::ChainId;

/// Why it is not known by which rules a node works.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It does not answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No chain can have the configuration that it answers.
    #[error("its rollup node's configuration is impossible: {reason}")]
    Impossible {
        /// What is wrong with it, and what to do.
        reason: serde_json::Error,
    },
    /// It is not known of which genesis the ledger is.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Asks the rollup node of one chain.
#[derive(Clone, Debug)]
pub struct RulesAsker {
    /// The chain.
    pub chain_id: ChainId,
    /// Its rollup nodes.
    pub nodes: RollupNodes,
    /// The chains' rules, as far as they are known.
    pub set: DependencySet,
    /// What is built in of the chain, if its network is named.
    pub network: Option<KnownNetwork>,
    /// The SystemConfig that is configured, which names the chain's signer.
    pub system_config: Option<Address>,
    /// What else can identify the chain.
    pub witnesses: OriginWitnesses,
    /// What is written of the chain, if anything is.
    pub ledger: Option<Ledger>,
}

/// The result of a node's answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consultation {
    /// Where it works by other rules.
    pub(crate) differences: Vec<RuleDifference>,
    /// The forks whose times are taken from it, because nothing is built in about them.
    pub(super) taken_forks: Vec<TakenFork>,
    /// The forks that it has and this build does not know. `None`: it does not say its configuration.
    pub(super) unknown_forks: Option<UnknownForks>,
}

impl RulesAsker {
    /// Nothing is clear of the chain until its node has been asked.
    pub(super) fn begin(&self) {
        self.set.set_rule_agreement(self.chain_id, RuleAgreement::Awaited);
    }

    /// Seconds between two blocks of the chain; 0 if that is not known.
    pub(super) fn block_time(&self) -> u64 {
        self.set.block_time(self.chain_id).unwrap_or_default()
    }

    /// Where the rollup node works by other rules than those that are configured.
    ///
    /// # Errors
    /// If it does not answer, or with what no chain can have.
    pub async fn ask(&self) -> Result<Vec<RuleDifference>, RulesError> {
        Ok(self.compare().await?.differences)
    }

    /// The same, with what must be reported of the node's forks.
    ///
    /// # Errors
    /// If it does not answer, or with what no chain can have.
    pub(crate) async fn compare(&self) -> Result<Consultation, RulesError> {
        let report = self.node_rules().await.inspect_err(|error| {
            if matches!(error, RulesError::Impossible { .. }) {
                self.set.set_rule_agreement(self.chain_id, RuleAgreement::Refused);
            }
        })?;
        let Some(chain) = self.set.rules(self.chain_id) else { return Ok(Consultation::default()) };
        let own = OwnRules {
            chain,
            expiry_window: self.set.known_expiry_window(self.chain_id),
            learnt: self.set.learnt(self.chain_id),
            network: self.network.clone(),
            system_config: self.system_config,
        };
        let mut differences = differences(&own, &report);
        let taken_forks = taken_forks(&own, &report);
        let unknown_forks = report.config.as_ref().map(ReportedConfig::unknown_forks);
        if let Some(config) = report.config.as_ref().filter(|_| differences.is_empty()) {
            differences.extend(self.witnesses.contradictions(config).await?);
        }
        // What differs otherwise binds nothing: the node may be another chain's.
        if let (Some(ledger), Some(genesis), true) =
            (&self.ledger, report.config.as_ref().and_then(ReportedConfig::genesis), differences.is_empty())
        {
            let bound = ledger.bind_genesis(self.chain_id, GenesisSource::RollupNode, genesis).await?;
            differences.extend((bound != genesis).then(|| RuleDifference::of_ledger(genesis, bound)));
        }
        if differences.is_empty() {
            let interop_time = report.config.as_ref().and_then(ReportedConfig::interop_time);
            let NodeReport { dependencies, expiry_window, .. } = report;
            self.set.learn(
                self.chain_id,
                ReportedRules { interop_time, dependencies, expiry_window },
                &self.names_of_nodes(),
            );
            self.set.set_rule_agreement(self.chain_id, RuleAgreement::Given);
        } else {
            self.set.set_rule_agreement(self.chain_id, RuleAgreement::Refused);
        }
        Ok(Consultation { differences, taken_forks, unknown_forks })
    }

    /// The nodes that may have reported it: any of them answers for all.
    fn names_of_nodes(&self) -> String {
        let names: Vec<String> = (0..self.nodes.len()).map(|place| self.nodes.name(place)).collect();
        names.join(", ")
    }

    /// What the node says. What it has no method for is not said.
    async fn node_rules(&self) -> Result<NodeReport, RulesError> {
        let document = optional(self.nodes.rollup_config_document().await)?;
        let config = document.map(|document| serde_json::from_str(document.get())).transpose();
        let config = config.map_err(|reason| RulesError::Impossible { reason })?;
        let set = optional(self.nodes.dependency_set().await)?;
        let expiry_window = set.as_ref().map(|(_, window)| window.unwrap_or(DEFAULT_EXPIRY_WINDOW));
        let dependencies = set.map(|(chains, _)| chains.into_iter().collect());
        Ok(NodeReport { config, dependencies, expiry_window })
    }
}

/// In words, for an operator.
pub fn in_words(differences: &[RuleDifference]) -> String {
    let reported: Vec<String> = differences.iter().map(ToString::to_string).collect();
    format!("{}; find out which is right, and correct the other", reported.join("; "))
}

fn optional<T>(answer: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(SourceError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
