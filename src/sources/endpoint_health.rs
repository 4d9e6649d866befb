//! [`EndpointHealth`]: the state of an endpoint among those of its chain. Pure: time is an argument.
//!
//! One wrong answer names an endpoint; it takes more than one right answer to clear it, so that an endpoint
//! that is wrong now and then is not reported with every block.

use super::{EndpointUrl, SourceError};
use alloy::primitives::B256;
use tokio::time::Instant;

/// How many answers in a row may fail before the endpoint is called failing: single timeouts are common.
const FAILURES: u32 = 3;

/// How many times in a row an outvoted endpoint must agree before it is taken back. Agreeing on the very
/// height that it was outvoted on takes it back at once.
const AGREEMENTS: u32 = 16;

/// How many blocks an endpoint may be behind what the others agree on before it is called behind.
pub const TOLERATED_LAG: u64 = 3;

/// The state of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointState {
    /// It agrees with a quorum, or has not been asked yet.
    Agrees,
    /// Its tip is below what enough others have.
    Behind {
        /// By how many blocks.
        blocks: u64,
    },
    /// Enough others agree on another block.
    Outvoted {
        /// At which height.
        number: u64,
        /// Its block there.
        said: B256,
        /// Theirs.
        agreed: B256,
    },
    /// It gives no answers, or no valid ones.
    Failing {
        /// The last failure.
        reason: String,
    },
}

impl EndpointState {
    /// Every name that [`EndpointState::name`] gives.
    pub const NAMES: [&str; 4] = ["agrees", "behind", "outvoted", "failing"];

    /// Its stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Behind { .. } => "behind",
            Self::Outvoted { .. } => "outvoted",
            Self::Failing { .. } => "failing",
        }
    }

    /// The problem, in words; empty if there is none.
    pub fn detail(&self) -> String {
        match self {
            Self::Agrees => String::new(),
            Self::Behind { blocks } => format!("{blocks} blocks behind the others"),
            Self::Outvoted { number, said, agreed } => {
                format!("says {said} at height {number}, where the others agree on {agreed}")
            }
            Self::Failing { reason } => reason.clone(),
        }
    }
}

/// One endpoint of a chain, and its state among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Its place among the chain's endpoints, counted from 0.
    pub place: usize,
    /// Where it is; shown without its secrets.
    pub endpoint: EndpointUrl,
    /// Its state.
    pub state: EndpointState,
    /// Since when.
    pub since: Instant,
    /// How many times it was outvoted.
    pub disagreements: u64,
    /// How many of its answers failed or was invalid.
    pub failures: u64,
    trouble: Trouble,
}

/// What is the matter with an endpoint; several things may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Trouble {
    failures_in_a_row: u32,
    failing: Option<String>,
    outvoted: Option<Outvoted>,
    lag: u64,
    /// When it gave an answer last.
    answered: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outvoted {
    number: u64,
    said: B256,
    agreed: B256,
    agreements: u32,
}

impl EndpointHealth {
    /// An endpoint that has not been asked yet.
    pub(super) fn new(place: usize, endpoint: EndpointUrl, now: Instant) -> Self {
        let trouble = Trouble::default();
        Self {
            place,
            endpoint,
            state: EndpointState::Agrees,
            since: now,
            disagreements: 0,
            failures: 0,
            trouble,
        }
    }

    /// It gave an answer, valid or not. Returns whether its state is another now; so do the others.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        self.trouble.failures_in_a_row = 0;
        self.trouble.failing = None;
        self.trouble.answered = Some(now);
        self.update(now)
    }

    /// It gave none, or one that is invalid. `asked`: when it was asked, where that is known. A question that
    /// it left unanswered before its last answer says nothing new: after a hang there are many.
    pub(super) fn failed(&mut self, error: &SourceError, asked: Option<Instant>, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let trouble = &mut self.trouble;
        if asked.is_some_and(|asked| trouble.answered.is_some_and(|answered| answered > asked)) {
            return self.update(now);
        }
        trouble.failures_in_a_row = trouble.failures_in_a_row.saturating_add(1);
        // An invalid answer is not an accident of the network.
        let is_lie = matches!(error, SourceError::Untrustworthy { .. });
        if is_lie || trouble.failures_in_a_row >= FAILURES {
            trouble.failing = Some(error.to_string());
        }
        self.update(now)
    }

    /// It said this where enough endpoints agree on that.
    pub(super) fn compared(&mut self, number: u64, said: B256, agreed: B256, now: Instant) -> bool {
        let outvoted = &mut self.trouble.outvoted;
        if said != agreed {
            self.disagreements = self.disagreements.saturating_add(1);
            *outvoted = Some(Outvoted { number, said, agreed, agreements: 0 });
        } else if let Some(before) = outvoted {
            before.agreements = before.agreements.saturating_add(1);
            if before.number == number || before.agreements >= AGREEMENTS {
                *outvoted = None;
            }
        }
        self.update(now)
    }

    /// Its tip is this many blocks below what enough endpoints have.
    pub(super) fn lags(&mut self, blocks: u64, now: Instant) -> bool {
        self.trouble.lag = blocks;
        self.update(now)
    }

    fn update(&mut self, now: Instant) -> bool {
        let Trouble { failing, outvoted, lag, .. } = &self.trouble;
        let state = match (failing, outvoted) {
            (Some(reason), _) => EndpointState::Failing { reason: reason.clone() },
            (None, Some(Outvoted { number, said, agreed, .. })) => {
                EndpointState::Outvoted { number: *number, said: *said, agreed: *agreed }
            }
            (None, None) if *lag > TOLERATED_LAG => EndpointState::Behind { blocks: *lag },
            (None, None) => EndpointState::Agrees,
        };
        let is_other = state.name() != self.state.name();
        self.state = state;
        if is_other {
            self.since = now;
        }
        is_other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: B256 = B256::repeat_byte(1);
    const TWO: B256 = B256::repeat_byte(2);

    fn lasting() -> (EndpointHealth, Instant) {
        let now = Instant::now();
        (EndpointHealth::new(1, "http://127.0.0.1:1".parse().unwrap(), now), now)
    }

    fn unreachable(lasting: &EndpointHealth) -> SourceError {
        let endpoint = lasting.endpoint.clone();
        SourceError::Unreachable { endpoint, method: "eth_chainId", reason: "refused".to_owned() }
    }

    #[tokio::test]
    async fn a_single_timeout_reports_no_endpoint() {
        let (mut lasting, now) = lasting();
        let error = unreachable(&lasting);
        assert!(!lasting.failed(&error, None, now) && !lasting.failed(&error, None, now));
        assert!(!lasting.answered(now));
        assert!(
            !lasting.failed(&error, None, now)
                && !lasting.failed(&error, None, now)
                && lasting.failed(&error, None, now)
        );
        assert_eq!((lasting.state.name(), lasting.failures), ("failing", 5));
        assert!(lasting.answered(now));
        assert_eq!(lasting.state, EndpointState::Agrees);
    }

    /// What was asked before a hang ended is given up long after it, between answers.
    #[tokio::test(start_paused = true)]
    async fn timeouts_of_requests_sent_before_the_last_answer_do_not_count() {
        let (mut lasting, asked) = lasting();
        let error = unreachable(&lasting);
        tokio::time::advance(core::time::Duration::from_secs(10)).await;
        assert!(!lasting.answered(Instant::now()));
        for _ in 0..9 {
            assert!(!lasting.failed(&error, Some(asked), Instant::now()));
        }
        assert_eq!((lasting.state.name(), lasting.failures), ("agrees", 9));
        let asked = Instant::now();
        tokio::time::advance(core::time::Duration::from_secs(10)).await;
        let now = Instant::now();
        let reported = [0; 3].map(|_| lasting.failed(&error, Some(asked), now));
        assert_eq!((reported, lasting.state.name()), ([false, false, true], "failing"));
    }

    #[tokio::test]
    async fn one_invalid_answer_reports_the_endpoint() {
        let (mut lasting, now) = lasting();
        let endpoint = lasting.endpoint.clone();
        let lie =
            SourceError::Untrustworthy { endpoint, method: "eth_getBlockByNumber", reason: "no".to_owned() };
        assert!(lasting.failed(&lie, None, now));
        assert!(lasting.state.detail().contains("invalid data"), "{}", lasting.state.detail());
    }

    #[tokio::test]
    async fn one_incomplete_answer_reports_no_endpoint() {
        let (mut lasting, now) = lasting();
        let endpoint = lasting.endpoint.clone();
        let part =
            SourceError::Incomplete { endpoint, method: "eth_getBlockReceipts", reason: "none".to_owned() };
        assert!(!lasting.failed(&part, None, now) && !lasting.failed(&part, None, now));
        assert!(lasting.failed(&part, None, now));
        assert!(lasting.state.detail().contains("it is behind"), "{}", lasting.state.detail());
    }

    #[tokio::test]
    async fn an_endpoint_that_disagrees_now_and_then_is_reported_once() {
        let (mut lasting, now) = lasting();
        assert!(lasting.compared(10, ONE, TWO, now));
        for number in 11..20 {
            assert!(!lasting.compared(number, ONE, ONE, now));
        }
        assert!(!lasting.compared(20, ONE, TWO, now));
        assert_eq!(lasting.state, EndpointState::Outvoted { number: 20, said: ONE, agreed: TWO });
        assert_eq!(lasting.disagreements, 2);
        let cleared = (21..).find(|number| lasting.compared(*number, ONE, ONE, now)).unwrap();
        assert_eq!(cleared, 20 + u64::from(AGREEMENTS));
    }

    #[tokio::test]
    async fn an_endpoint_that_agrees_at_the_disputed_height_is_trusted_again() {
        let (mut lasting, now) = lasting();
        lasting.compared(10, ONE, TWO, now);
        assert!(lasting.compared(10, TWO, TWO, now));
        assert_eq!(lasting.state, EndpointState::Agrees);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lagging_endpoint_is_reported_beyond_the_tolerated_lag() {
        let (mut lasting, start) = lasting();
        assert!(!lasting.lags(TOLERATED_LAG, start));
        tokio::time::advance(core::time::Duration::from_secs(5)).await;
        let now = Instant::now();
        assert!(lasting.lags(TOLERATED_LAG + 1, now));
        assert_eq!((lasting.state.clone(), lasting.since), (EndpointState::Behind { blocks: 4 }, now));
        assert!(!lasting.lags(9, now) && lasting.lags(0, now));
    }

    #[tokio::test]
    async fn the_worst_problem_is_reported_first_and_the_others_afterwards() {
        let (mut lasting, now) = lasting();
        let error = unreachable(&lasting);
        lasting.lags(50, now);
        lasting.compared(10, ONE, TWO, now);
        assert_eq!(lasting.state.name(), "outvoted");
        for _ in 0..FAILURES {
            lasting.failed(&error, None, now);
        }
        assert_eq!(lasting.state.name(), "failing");
        lasting.answered(now);
        assert_eq!(lasting.state.name(), "outvoted");
        lasting.compared(10, TWO, TWO, now);
        assert_eq!(lasting.state, EndpointState::Behind { blocks: 50 });
    }
}
