//! [`FrameCounts`]: how the frames of each topic were judged.

use super::counter::Counter;
use crate::Topic;

/// A value for each topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByTopic<T>([T; Topic::ALL.len()]);

impl<T> ByTopic<T> {
    /// The value of a topic.
    pub const fn of(&self, topic: Topic) -> &T {
        let [v1, v2, v3, v4, cross_safe] = &self.0;
        match topic {
            Topic::BlocksV1 => v1,
            Topic::BlocksV2 => v2,
            Topic::BlocksV3 => v3,
            Topic::BlocksV4 => v4,
            Topic::CrossSafeBlocksV1 => cross_safe,
        }
    }

    /// Creates a value for each topic.
    pub fn from_fn(make: impl FnMut(Topic) -> T) -> Self {
        Self(Topic::ALL.map(make))
    }
}

/// How frames of one topic were judged. Those that found the queue in front of the validator full are not
/// among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Frames that were accepted, and passed on.
    pub accepted: u64,
    /// Frames that were ignored: not passed on, and their sender not blamed.
    pub ignored: u64,
    /// Frames that were rejected: not passed on, and their sender blamed.
    pub rejected: u64,
}

impl FrameCounts {
    /// The increase since an earlier snapshot.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            accepted: self.accepted.saturating_sub(earlier.accepted),
            ignored: self.ignored.saturating_sub(earlier.ignored),
            rejected: self.rejected.saturating_sub(earlier.rejected),
        }
    }

    pub(super) const fn plus(&self, other: &Self) -> Self {
        Self {
            accepted: self.accepted.saturating_add(other.accepted),
            ignored: self.ignored.saturating_add(other.ignored),
            rejected: self.rejected.saturating_add(other.rejected),
        }
    }
}

/// The live counts of one topic.
#[derive(Debug, Default)]
pub(super) struct FrameCounters {
    pub(super) accepted: Counter,
    pub(super) ignored: Counter,
    pub(super) rejected: Counter,
}

impl FrameCounters {
    pub(super) fn snapshot(&self) -> FrameCounts {
        FrameCounts {
            accepted: self.accepted.get(),
            ignored: self.ignored.get(),
            rejected: self.rejected.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_has_a_value_of_its_own() {
        let names = ByTopic::from_fn(Topic::name);
        assert!(Topic::ALL.iter().all(|topic| *names.of(*topic) == topic.name()));
    }

    #[test]
    fn sums_and_differences_are_field_by_field() {
        let one = FrameCounts { accepted: 1, ignored: 2, rejected: 3 };
        let both = one.plus(&FrameCounts { accepted: 10, ignored: 20, rejected: 30 });
        assert_eq!(both, FrameCounts { accepted: 11, ignored: 22, rejected: 33 });
        assert_eq!(both.since(&one), FrameCounts { accepted: 10, ignored: 20, rejected: 30 });
    }
}
