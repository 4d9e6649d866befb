//! [`Health`]: the reasons against readiness, by [`HealthPart`] of the program. Pure shared state: no I/O.
//!
//! A part that does not work is reported once for each kind of reason until it works again, and counted from
//! then on: numbers and hashes in a reason do not make it another kind.

mod part;

pub use part::HealthPart;

use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How many kinds of reasons are distinguished while a part does not work. Beyond it they are counted only.
const MAX_KINDS: usize = 64;

/// What blocks readiness. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<HealthPart, State>>>,
}

#[derive(Debug)]
enum State {
    Works,
    Out {
        reason: String,
        since: Instant,
        /// The kinds of reasons that were reported.
        kinds: BTreeSet<String>,
        repeats: u64,
    },
}

/// How it was while a part did not work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outage {
    /// For how long it did not.
    pub lasted: Duration,
    /// How often it was reported again for a reason of a kind that had been reported.
    pub repeats: u64,
}

/// What blocks readiness, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReadyPart {
    /// The part of the program.
    pub part: HealthPart,
    /// Its newest reason.
    pub reason: String,
    /// For how long it does not work.
    pub lasted: Duration,
}

impl Outage {
    /// For how many seconds it did not.
    pub const fn seconds(&self) -> u64 {
        self.lasted.as_secs()
    }
}

impl State {
    fn out(reason: String) -> Self {
        Self::Out { reason, since: Instant::now(), kinds: BTreeSet::new(), repeats: 0 }
    }
}

impl Health {
    /// Announces a part that must report before the program is ready.
    pub fn expect(&self, part: &HealthPart) {
        self.parts
            .lock()
            .entry(part.clone())
            .or_insert_with(|| State::out("has not reported yet".to_owned()));
    }

    /// The part works. `Some`: it did not before.
    pub fn clear(&self, part: &HealthPart) -> Option<Outage> {
        match self.parts.lock().insert(part.clone(), State::Works) {
            None => Some(Outage::default()),
            Some(State::Works) => None,
            Some(State::Out { since, repeats, .. }) => Some(Outage { lasted: since.elapsed(), repeats }),
        }
    }

    /// The part does not work. `true`: that is to be reported, for the reason is of a kind that was not
    /// reported since it worked last.
    pub fn set_not_ready(&self, part: &HealthPart, reason: String) -> bool {
        let mut parts = self.parts.lock();
        let state = parts.entry(part.clone()).or_insert(State::Works);
        if matches!(state, State::Works) {
            *state = State::out(String::new());
        }
        let State::Out { reason: newest, kinds, repeats, .. } = state else { return true };
        let is_reported = kinds.len() >= MAX_KINDS || !kinds.insert(kind(&reason));
        *newest = reason;
        if is_reported {
            *repeats = repeats.saturating_add(1);
        }
        !is_reported
    }

    /// Why a part does not work: its newest reason. `None`: it works, or has not reported yet.
    pub fn reason(&self, part: &HealthPart) -> Option<String> {
        match self.parts.lock().get(part)? {
            State::Out { reason, kinds, .. } if !kinds.is_empty() => Some(reason.clone()),
            State::Out { .. } | State::Works => None,
        }
    }

    /// Every known part, and whether it works.
    pub fn parts(&self) -> Vec<(HealthPart, bool)> {
        let parts = self.parts.lock();
        parts.iter().map(|(part, state)| (part.clone(), matches!(state, State::Works))).collect()
    }

    /// What has blocked readiness for this long: the part, its newest reason, and for how long. In the order
    /// of the parts' names.
    pub fn lasting_for(&self, least: Duration) -> Vec<NotReadyPart> {
        let mut lasting: Vec<_> = {
            let parts = self.parts.lock();
            let out = parts.iter().filter_map(|(part, state)| NotReadyPart::of(part, state));
            out.filter(|part| part.lasted >= least).collect()
        };
        lasting.sort_by_cached_key(|out| out.part.to_string());
        lasting
    }

    /// What blocks readiness: empty when ready. Of each part the newest reason, in the order of the parts'
    /// names.
    pub fn reasons(&self) -> Vec<String> {
        let lasting = self.lasting_for(Duration::ZERO);
        lasting.iter().map(|NotReadyPart { part, reason, .. }| format!("{part}: {reason}")).collect()
    }
}

impl NotReadyPart {
    /// `None`: the part works.
    fn of(part: &HealthPart, state: &State) -> Option<Self> {
        match state {
            State::Works => None,
            State::Out { reason, since, .. } => {
                Some(Self { part: part.clone(), reason: reason.clone(), lasted: since.elapsed() })
            }
        }
    }
}

/// The reason without its numbers and hashes.
fn kind(reason: &str) -> String {
    let mut kind = String::with_capacity(reason.len());
    let mut rest = reason;
    while let Some(first) = rest.chars().next() {
        let hash = rest
            .strip_prefix("0x")
            .map(|digits| digits.trim_start_matches(|it: char| it.is_ascii_hexdigit()));
        let number = || rest.trim_start_matches(|it: char| it.is_ascii_digit());
        if let Some(after) = hash.or_else(|| first.is_ascii_digit().then(number)) {
            kind.push('#');
            rest = after;
        } else {
            kind.push(first);
            rest = rest.strip_prefix(first).unwrap_or_default();
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use HealthPart::L1Endpoint;
    use crosscheck_p2p::ChainId;
    use rstest::rstest;

    fn heads() -> HealthPart {
        HealthPart::Heads(ChainId::from(901))
    }

    #[test]
    fn ready_once_every_part_reported() {
        let health = Health::default();
        health.expect(&L1Endpoint);
        health.expect(&heads());
        assert_eq!(health.reasons().len(), 2);
        assert!(health.clear(&L1Endpoint).is_some());
        assert!(health.clear(&L1Endpoint).is_none());
        assert_eq!(health.reasons(), ["chain 901 heads: has not reported yet"]);
        health.clear(&heads());
        assert!(health.reasons().is_empty());
    }

    #[test]
    fn reasons_are_in_the_order_of_the_names() {
        let (health, chain) = (Health::default(), ChainId::from);
        let parts = [
            HealthPart::Ledger,
            L1Endpoint,
            HealthPart::Peers(chain(901)),
            HealthPart::Branch(chain(902)),
            HealthPart::Clock(chain(901)),
            HealthPart::Claimant { chain_id: chain(901), name: "claimant #0 of chain 901".to_owned() },
        ];
        parts.iter().for_each(|part| health.expect(part));
        let names: Vec<String> =
            health.lasting_for(Duration::ZERO).iter().map(|it| it.part.to_string()).collect();
        let expected = [
            "L1 endpoint",
            "chain 901 clock",
            "chain 901 peers",
            "chain 902 branch",
            "claimant #0 of chain 901",
            "ledger",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_part_may_fail_again() {
        let health = Health::default();
        for _ in 0..2 {
            health.clear(&L1Endpoint);
            assert!(health.set_not_ready(&L1Endpoint, "gone".to_owned()));
            assert!(!health.set_not_ready(&L1Endpoint, "gone".to_owned()));
            assert_eq!(health.reasons(), ["L1 endpoint: gone"]);
        }
    }

    #[test]
    fn a_reason_whose_number_moves_is_reported_once_and_shown_as_it_is() {
        let health = Health::default();
        let reported: Vec<bool> = [135, 141, 145]
            .map(|number| health.set_not_ready(&heads(), format!("the upstream is at {number}, below 146")))
            .into();
        assert_eq!(reported, [true, false, false]);
        assert_eq!(health.reasons(), ["chain 901 heads: the upstream is at 145, below 146"]);
    }

    #[tokio::test(start_paused = true)]
    async fn reasons_that_take_turns_are_reported_once_each_and_counted() {
        let health = Health::default();
        health.clear(&heads());
        let mut reported = 0;
        for number in 0..10 {
            for reason in [format!("block {number} is gone"), format!("no answer to {number}")] {
                reported += u64::from(health.set_not_ready(&heads(), reason));
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(reported, 2);
        assert_eq!(health.clear(&heads()), Some(Outage { lasted: Duration::from_secs(10), repeats: 18 }));
    }

    #[tokio::test(start_paused = true)]
    async fn long_lasting_reasons_are_listed_separately() {
        let health = Health::default();
        let minute = Duration::from_secs(60);
        health.set_not_ready(&L1Endpoint, "gone".to_owned());
        tokio::time::advance(minute).await;
        health.set_not_ready(&heads(), "away".to_owned());
        health.set_not_ready(&L1Endpoint, "still gone".to_owned());
        let lasting = NotReadyPart { part: L1Endpoint, reason: "still gone".to_owned(), lasted: minute };
        assert_eq!(health.lasting_for(minute), [lasting]);
        assert_eq!(health.parts(), [(L1Endpoint, false), (heads(), false)]);
        health.clear(&L1Endpoint);
        assert_eq!(health.lasting_for(minute), []);
        assert_eq!(health.parts(), [(L1Endpoint, true), (heads(), false)]);
    }

    #[test]
    fn kinds_are_bounded() {
        let health = Health::default();
        let reported = (0..1000).filter(|number| health.set_not_ready(&heads(), "x".repeat(*number))).count();
        assert_eq!(reported, MAX_KINDS);
    }

    #[rstest]
    #[case::numbers("at 12, below 345", "at #, below #")]
    #[case::hash("block 0xabCDef12 is gone", "block # is gone")]
    #[case::seconds("no answer in 10.5s", "no answer in #.#s")]
    #[case::words("abc 0xyz", "abc #yz")]
    #[case::beyond_ascii("après 3 été", "après # été")]
    #[case::none("", "")]
    fn a_kind_has_no_numbers(#[case] reason: &str, #[case] expected: &str) {
        assert_eq!(kind(reason), expected);
    }
}
