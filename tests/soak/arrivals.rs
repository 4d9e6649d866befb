//! [`Arrivals`]: which node has heard which block, when, and what it refused.
//!
//! Pure: what was published and heard comes in with its time.

use crate::mesh::{NODES, is_program};
use crosscheck_p2p::{PublishError, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Something that a node tells.
pub(crate) enum Heard {
    /// A valid block has come.
    Block { node: usize, topic: Topic, number: u64, at: Instant },
    /// A frame was refused, by the rule that it broke.
    Refused { node: usize, reason: String },
}

/// The counts.
pub(crate) struct Arrivals {
    publisher: usize,
    published: BTreeMap<(Topic, u64), Instant>,
    unpublished: Vec<PublishError>,
    bytes: usize,
    received: BTreeMap<usize, BTreeSet<(Topic, u64)>>,
    in_process: Vec<Duration>,
    programs: Vec<Duration>,
    refused: BTreeMap<(usize, String), u64>,
    repeated: u64,
}

impl Arrivals {
    /// Nothing published, nothing heard.
    pub(crate) fn new(publisher: usize) -> Self {
        Self {
            publisher,
            published: BTreeMap::new(),
            unpublished: Vec::new(),
            bytes: 0,
            received: (0..NODES)
                .filter(|node| *node != publisher)
                .map(|node| (node, BTreeSet::new()))
                .collect(),
            in_process: Vec::new(),
            programs: Vec::new(),
            refused: BTreeMap::new(),
            repeated: 0,
        }
    }

    /// A frame of this many bytes is about to be published.
    pub(crate) fn publishing(&mut self, topic: Topic, number: u64, bytes: usize, at: Instant) {
        self.published.insert((topic, number), at);
        self.bytes += bytes;
    }

    /// The frame could not be published.
    pub(crate) fn unpublished(&mut self, error: PublishError) {
        self.unpublished.push(error);
    }

    /// A node tells something.
    pub(crate) fn note(&mut self, heard: Heard) {
        match heard {
            Heard::Block { node, topic, number, at } => {
                let since = self.published[&(topic, number)];
                if self.received.get_mut(&node).is_some_and(|received| received.insert((topic, number))) {
                    let latencies = if is_program(node) { &mut self.programs } else { &mut self.in_process };
                    latencies.push(at.saturating_duration_since(since));
                } else {
                    self.repeated += 1;
                }
            }
            Heard::Refused { node, reason } => *self.refused.entry((node, reason)).or_default() += 1,
        }
    }

    /// Whether everybody has heard everything.
    pub(crate) fn is_complete(&self) -> bool {
        self.received.values().all(|received| received.len() == self.published.len())
    }

    /// Who published.
    pub(crate) fn publisher(&self) -> usize {
        self.publisher
    }

    /// Why frames could not be published.
    pub(crate) fn not_published(&self) -> &[PublishError] {
        &self.unpublished
    }

    /// How many frames were to be published on a topic.
    pub(crate) fn published_on(&self, topic: Topic) -> usize {
        self.published.keys().filter(|(published_on, _)| *published_on == topic).count()
    }

    /// The published bytes of both topics, compressed.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many frames of each topic a node has heard.
    pub(crate) fn received(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.received.iter().map(|(node, received)| {
            let on = |topic| received.iter().filter(|(heard_on, _)| *heard_on == topic).count();
            (*node, on(Topic::BlocksV4), on(Topic::CrossSafeBlocksV1))
        })
    }

    /// Who has missed what.
    pub(crate) fn missed(&self) -> Vec<(usize, Topic, u64)> {
        let of_node = |(node, received): (&usize, &BTreeSet<(Topic, u64)>)| {
            let node = *node;
            let missed = self.published.keys().filter(|frame| !received.contains(frame));
            missed.map(move |(topic, number)| (node, *topic, *number)).collect::<Vec<_>>()
        };
        self.received.iter().flat_map(of_node).collect()
    }

    /// From publication to the judged block in the hands of who takes it, in this process and as programs
    /// print it; each in order.
    pub(crate) fn latencies(&self) -> [Vec<Duration>; 2] {
        [&self.in_process, &self.programs].map(|latencies| {
            let mut latencies = latencies.clone();
            latencies.sort_unstable();
            latencies
        })
    }

    /// Refused frames, by node and rule.
    pub(crate) fn refused(&self) -> &BTreeMap<(usize, String), u64> {
        &self.refused
    }

    /// Blocks that a node has told of more than once.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated
    }
}
