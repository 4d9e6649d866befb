//! [`NetworkCounters`]: how often a bound of the network was reached, and how the frames of each topic were
//! judged.

use super::{
    counter::Counter,
    frame_counts::{ByTopic, FrameCounters, FrameCounts},
    refused_counts::{RefusedCounters, RefusedCounts},
};
use crate::Topic;

/// The counts since the network task was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkCounters {
    /// How frames were judged.
    pub by_topic: ByTopic<FrameCounts>,
    /// How often frames were refused, by the code of the rule that they broke.
    pub refused: ByTopic<RefusedCounts>,
    /// Frames ignored unjudged, because the queue in front of the validator was full.
    pub queue_full: u64,
    /// Blocks that were served to peers by number.
    pub served: u64,
    /// Missed blocks that were fetched from peers by number.
    pub filled: u64,
    /// Inbound connections that were refused because a limit was reached.
    pub connections_refused: u64,
    /// Requests for blocks by number that were refused for the rate limit.
    pub requests_refused: u64,
    /// Peers banned for their score.
    pub banned: u64,
    /// Events other than blocks that were dropped because the queue of events was full.
    pub events_dropped: u64,
}

impl NetworkCounters {
    /// How the frames of all topics were judged.
    pub fn frames(&self) -> FrameCounts {
        Topic::ALL.into_iter().fold(FrameCounts::default(), |sum, topic| sum.plus(self.by_topic.of(topic)))
    }

    /// The increase since an earlier snapshot.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            by_topic: ByTopic::from_fn(|topic| self.by_topic.of(topic).since(earlier.by_topic.of(topic))),
            refused: ByTopic::from_fn(|topic| self.refused.of(topic).since(earlier.refused.of(topic))),
            queue_full: self.queue_full.saturating_sub(earlier.queue_full),
            served: self.served.saturating_sub(earlier.served),
            filled: self.filled.saturating_sub(earlier.filled),
            connections_refused: self.connections_refused.saturating_sub(earlier.connections_refused),
            requests_refused: self.requests_refused.saturating_sub(earlier.requests_refused),
            banned: self.banned.saturating_sub(earlier.banned),
            events_dropped: self.events_dropped.saturating_sub(earlier.events_dropped),
        }
    }
}

/// The live counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    frames: ByTopic<FrameCounters>,
    refused: ByTopic<RefusedCounters>,
    pub(super) queue_full: Counter,
    pub(super) served: Counter,
    pub(super) filled: Counter,
    pub(super) connections_refused: Counter,
    pub(super) requests_refused: Counter,
    pub(super) banned: Counter,
    pub(super) events_dropped: Counter,
}

impl Counters {
    pub(super) const fn on(&self, topic: Topic) -> &FrameCounters {
        self.frames.of(topic)
    }

    pub(super) const fn refused_on(&self, topic: Topic) -> &RefusedCounters {
        self.refused.of(topic)
    }

    pub(super) fn snapshot(&self) -> NetworkCounters {
        NetworkCounters {
            by_topic: ByTopic::from_fn(|topic| self.on(topic).snapshot()),
            refused: ByTopic::from_fn(|topic| self.refused_on(topic).snapshot()),
            queue_full: self.queue_full.get(),
            served: self.served.get(),
            filled: self.filled.get(),
            connections_refused: self.connections_refused.get(),
            requests_refused: self.requests_refused.get(),
            banned: self.banned.get(),
            events_dropped: self.events_dropped.get(),
        }
    }
}
