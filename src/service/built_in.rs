//! [`log_built_in`]: what is said at start of what is built in and of what is not watched.

use crate::config::Config;
use crate::networks::{FACTS_OF, FRESH_DAYS, age_in_days};
use crosscheck_core::validity::DependencySet;
use crosscheck_p2p::UnixSeconds;
use tracing::{info, warn};

/// Reports which day the built-in facts are, and which chains may be cited without being watched.
pub(super) fn log_built_in(config: &Config, set: &DependencySet, now: UnixSeconds) {
    let days = age_in_days(now);
    if !config.network.is_empty() && days > FRESH_DAYS {
        warn!(of = FACTS_OF, days, "built-in network data is old; upgrade Crosscheck");
    } else if !config.network.is_empty() {
        info!(of = FACTS_OF, days, "built-in network data");
    }
    for chain_id in set.chain_ids() {
        let dependencies = set.rules(chain_id).and_then(|rules| rules.dependencies);
        for cited in dependencies.into_iter().flatten().filter(|cited| !set.contains(*cited)) {
            warn!(%chain_id, %cited, "chain may cite a chain that is not watched; add [chains.<cited>] with an execution client");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::captured::Lines;
    use crosscheck_core::validity::ChainRules;
    use rstest::rstest;

    /// 25 November 2026.
    const FACTS: u64 = 1_795_564_800;
    const DAY: u64 = 86_400;

    #[rstest]
    #[case::fresh(Some("bob"), FACTS, "INFO built-in network data of=\"2026-11-25\" days=0")]
    #[case::the_last_fresh_day(Some("bob"), FACTS + 61 * DAY - 1, "INFO built-in network data of=\"2026-11-25\" days=60")]
    #[case::old(Some("bob"), FACTS + 61 * DAY, "WARN built-in network data is old; upgrade Crosscheck of=\"2026-11-25\" days=61")]
    #[case::old_and_of_no_use(None, FACTS + 61 * DAY, "")]
    fn the_age_of_the_facts(#[case] network: Option<&str>, #[case] now: u64, #[case] says: &str) {
        let lines = Lines::capture();
        let network = network.map(|name| name.parse().unwrap()).into_iter().collect();
        let config = Config { network, ..Config::default() };
        log_built_in(&config, &config.dependency_set(), UnixSeconds(now));
        let text = lines.text().replace("crosscheck::service::built_in: ", "");
        assert_eq!(text.lines().count(), usize::from(!says.is_empty()), "{text}");
        assert!(text.contains(says), "{text}");
    }

    #[test]
    fn a_citable_chain_that_is_not_watched_is_named() {
        let lines = Lines::capture();
        let dependencies = Some([10, 130].map(Into::into).into());
        let rules = ChainRules { block_time: 2, interop_time: None, dependencies };
        let set = DependencySet::of_chains([(10.into(), rules)].into(), 1);
        log_built_in(&Config::default(), &set, UnixSeconds(FACTS));
        assert_eq!(lines.count("WARN"), 1);
        assert_eq!(lines.count("add [chains.<cited>] with an execution client chain_id=10 cited=130"), 1);
    }
}
