//! [`RefusedCounts`]: how often frames of a topic were refused, by the rule that they broke.
//!
//! The rules are a closed set: nothing that a peer sends adds a name.

use super::counter::Counter;
use crate::Reason;

const CODES: usize = Reason::CODES.len();

/// How often frames were refused, by the [code](Reason::code) of the rule that they broke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefusedCounts([u64; CODES]);

impl RefusedCounts {
    /// These counts and one refusal more by the rule with this code. An unknown code changes nothing.
    #[must_use]
    pub fn with(mut self, code: &str) -> Self {
        let counts = Reason::CODES.into_iter().zip(&mut self.0);
        counts.filter(|(name, _)| *name == code).for_each(|(_, count)| *count = count.saturating_add(1));
        self
    }

    /// The increase since an earlier snapshot.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.0;
        counts.iter_mut().zip(earlier.0).for_each(|(count, earlier)| *count = count.saturating_sub(earlier));
        Self(counts)
    }

    /// The codes with a count above zero, in the order of the checks.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Reason::CODES.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// The live counts of one topic.
#[derive(Debug, Default)]
pub(super) struct RefusedCounters([Counter; CODES]);

impl RefusedCounters {
    pub(super) fn count(&self, reason: &Reason) {
        let counters = Reason::CODES.into_iter().zip(&self.0);
        counters.filter(|(code, _)| *code == reason.code()).for_each(|(_, counter)| counter.increment());
    }

    pub(super) fn snapshot(&self) -> RefusedCounts {
        RefusedCounts(self.0.each_ref().map(Counter::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MalformedPayload;

    #[test]
    fn each_rule_is_counted_under_its_own_code() {
        let live = RefusedCounters::default();
        let malformed = MalformedPayload::Truncated { size: 1, needed: 2 };
        live.count(&Reason::BadSignature);
        live.count(&Reason::Malformed(malformed.clone()));
        let before = live.snapshot();
        live.count(&Reason::Malformed(malformed));
        assert_eq!(before.iter().collect::<Vec<_>>(), [("bad-signature", 1), ("payload-truncated", 1)]);
        let since = live.snapshot().since(&before);
        assert_eq!(since.iter().collect::<Vec<_>>(), [("payload-truncated", 1)]);
        assert_eq!(since, RefusedCounts::default().with("payload-truncated"));
    }
}
