//! [`LimitWatch`]: reports that a served head waits for another chain whose head does not move.
//!
//! Such a follower works, and its heads are only late: without this nobody would learn that they no longer
//! move.

use super::cross_chain::HeadLimit;
use crate::health::{Health, HealthPart};
use crosscheck_core::heads::SafetyLevel;
use crosscheck_p2p::ChainId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// What lowers the served heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lowered {
    /// The safe head.
    pub(super) safe: Option<HeadLimit>,
    /// The finalized head.
    pub(super) finalized: Option<HeadLimit>,
}

/// A limit, and since when it is where it is.
#[derive(Clone, Copy, Debug)]
struct WatchedLimit {
    limit: HeadLimit,
    since: Instant,
    is_reported: bool,
}

/// Reports limits of one chain's served heads that do not move.
#[derive(Debug, Default)]
pub(super) struct LimitWatch {
    watched: BTreeMap<SafetyLevel, WatchedLimit>,
}

impl LimitWatch {
    /// Records what lowers the served heads of a chain now. `bounds`: for how long the heads of each chain
    /// may be where they are.
    pub(super) fn check(
        &mut self,
        chain_id: ChainId,
        lowered: Lowered,
        bounds: &BTreeMap<ChainId, Duration>,
        health: &Health,
    ) {
        let limits = [(SafetyLevel::Safe, lowered.safe), (SafetyLevel::Finalized, lowered.finalized)];
        for (level, limit) in limits {
            self.check_level(chain_id, level, limit, bounds, health);
        }
    }

    fn check_level(
        &mut self,
        chain_id: ChainId,
        level: SafetyLevel,
        limit: Option<HeadLimit>,
        bounds: &BTreeMap<ChainId, Duration>,
        health: &Health,
    ) {
        let part = HealthPart::ServedHead { chain_id, level };
        let before = self.watched.get(&level).copied();
        if before.map(|before| before.limit) != limit {
            self.watched.remove(&level);
            if let Some(outage) = before.filter(|it| it.is_reported).and_then(|_| health.clear(&part)) {
                info!(%chain_id, level = level.name(), lasted_s = outage.seconds(), "served head no longer waits for a head that does not move");
            }
        }
        let Some(limit) = limit else { return };
        let begun = || WatchedLimit { limit, since: Instant::now(), is_reported: false };
        let watched = self.watched.entry(level).or_insert_with(begun);
        let stuck = watched.since.elapsed();
        let bound = bounds.get(&limit.chain_id).copied().unwrap_or(Duration::MAX);
        if stuck <= bound {
            return;
        }
        watched.is_reported = true;
        let HeadLimit { time, chain_id: other, head } = limit;
        let problem = format!(
            "the served {level} head waits for chain {other}: its {head} has been at time {time} for more than {}; {}",
            humantime::format_duration(bound),
            head.advice()
        );
        if health.set_not_ready(&part, problem.clone()) {
            let (other_chain_id, head, stuck_s, level) = (other, head.name(), stuck.as_secs(), level.name());
            warn!(%chain_id, level, %other_chain_id, head, stuck_s, problem, "served head waits for a head that does not move");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::cross_chain::LimitingHead;
    use rstest::rstest;

    const BOUND: Duration = Duration::from_secs(3600);

    fn limit(id: u64, time: u64, head: LimitingHead) -> Option<HeadLimit> {
        Some(HeadLimit { time, chain_id: ChainId::from(id), head })
    }

    /// What is not ready after these limits, each of which is there for a while longer than the bound.
    async fn problems(limits: &[Lowered]) -> Vec<String> {
        let (health, mut watch) = (Health::default(), LimitWatch::default());
        let bounds = [902, 903].map(|id| (ChainId::from(id), BOUND)).into();
        for lowered in limits {
            watch.check(ChainId::from(901), *lowered, &bounds, &health);
            tokio::time::advance(BOUND + Duration::from_secs(1)).await;
        }
        watch.check(ChainId::from(901), *limits.last().unwrap(), &bounds, &health);
        health.reasons()
    }

    #[rstest]
    #[case::local_safe(
        LimitingHead::LocalSafe,
        "its local-safe head has been at time 100 for more than 1h; check that the batches"
    )]
    #[case::verified(LimitingHead::Verified, "up to which every message is valid has been at time 100")]
    #[tokio::test(start_paused = true)]
    async fn a_head_that_another_chain_stops_is_reported(#[case] head: LimitingHead, #[case] expected: &str) {
        let lowered = Lowered { safe: limit(902, 100, head), finalized: None };
        let problems = problems(&[lowered]).await;
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert!(
            problem.starts_with("chain 901 served safe head: the served safe head waits for chain 902"),
            "{problem}"
        );
        assert!(problem.contains(expected), "{problem}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_finalized_head_that_another_chain_stops_is_reported_apart() {
        let lowered = Lowered { safe: None, finalized: limit(902, 100, LimitingHead::Finalized) };
        let problems = problems(&[lowered]).await;
        assert!(
            problems[0].contains("served finalized head waits for chain 902: its finalized head"),
            "{problems:?}"
        );
    }

    #[rstest]
    #[case::it_moves(limit(902, 100, LimitingHead::LocalSafe))]
    #[case::another_chain(limit(903, 90, LimitingHead::LocalSafe))]
    #[case::another_head(limit(902, 90, LimitingHead::Verified))]
    #[case::it_lowers_nothing(None)]
    #[tokio::test(start_paused = true)]
    async fn a_limit_that_moves_is_no_longer_reported(#[case] next: Option<HeadLimit>) {
        let (health, mut watch) = (Health::default(), LimitWatch::default());
        let bounds = [902, 903].map(|id| (ChainId::from(id), BOUND)).into();
        let mut check = |safe| watch.check(901.into(), Lowered { safe, finalized: None }, &bounds, &health);
        let first = limit(902, 90, LimitingHead::LocalSafe);
        check(first);
        tokio::time::advance(BOUND).await;
        check(first);
        assert!(health.reasons().is_empty(), "not before the bound");
        tokio::time::advance(Duration::from_secs(1)).await;
        check(first);
        assert_eq!(health.reasons().len(), 1);
        check(next);
        assert!(health.reasons().is_empty(), "{:?}", health.reasons());
    }
}
