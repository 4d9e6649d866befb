//! [`MessageIdCache`]: the ids of gossip messages, computed once for each frame and not for each copy of it.
//!
//! A mesh sends every frame several times, and an id takes decompressing and SHA-256. A copy with the same
//! bytes on the same topic costs one SipHash instead. Its key is drawn at the start and never leaves the
//! process, so that no peer can make two frames that are taken for one. Never keeps a frame. The same block
//! in other bytes is computed again.

use crate::{GossipMessageId, message_id};
use lru::LruCache;
use std::{
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

/// How many ids are remembered: the blocks of many minutes, or of one burst of attestations.
const CACHED_IDS: NonZeroUsize = match NonZeroUsize::new(4_096) {
    Some(count) => count,
    None => NonZeroUsize::MIN,
};

/// How an id is worked out.
type ComputeId = fn(&str, &[u8]) -> GossipMessageId;

/// The ids, of the frames seen last.
pub(super) struct MessageIdCache {
    key: RandomState,
    known: Mutex<LruCache<u64, GossipMessageId>>,
    compute: ComputeId,
}

impl MessageIdCache {
    /// No id yet.
    pub(super) fn new() -> Self {
        Self::with_function(message_id)
    }

    fn with_function(compute: ComputeId) -> Self {
        Self { key: RandomState::new(), known: Mutex::new(LruCache::new(CACHED_IDS)), compute }
    }

    /// The id of a frame on a topic.
    pub(super) fn of(&self, topic_path: &str, frame: &[u8]) -> GossipMessageId {
        let hash = self.key.hash_one((topic_path, frame));
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known().get(&hash) {
            return *id;
        }
        let id = (self.compute)(topic_path, frame);
        known().put(hash, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static COMPUTED: Cell<usize> = const { Cell::new(0) };
    }

    fn counted(topic_path: &str, frame: &[u8]) -> GossipMessageId {
        COMPUTED.set(COMPUTED.get() + 1);
        message_id(topic_path, frame)
    }

    #[test]
    fn the_id_of_a_copy_is_not_computed_again() {
        let ids = MessageIdCache::with_function(counted);
        let frame = snap::raw::Encoder::new().compress_vec(&[0; 100_000]).unwrap();
        let asked: Vec<_> = (0..100).map(|_| ids.of("a", &frame)).collect();
        assert_eq!(asked, vec![message_id("a", &frame); 100]);
        assert_eq!(COMPUTED.get(), 1);
    }

    #[test]
    fn every_frame_on_every_topic_has_its_own_id() {
        let ids = MessageIdCache::new();
        let frames = [("a", &b"frame"[..]), ("b", b"frame"), ("a", b"frames"), ("af", b"rame"), ("a", b"")];
        for (topic, frame) in frames.into_iter().chain(frames) {
            assert_eq!(ids.of(topic, frame), message_id(topic, frame));
        }
    }

    #[test]
    fn the_number_of_cached_ids_is_bounded() {
        let ids = MessageIdCache::with_function(counted);
        let frame = |number: usize| number.to_le_bytes();
        (0..=CACHED_IDS.get()).for_each(|number| _ = ids.of("a", &frame(number)));
        let first = ids.of("a", &frame(0));
        assert_eq!(first, message_id("a", &frame(0)));
        assert_eq!(COMPUTED.get(), CACHED_IDS.get() + 2);
        assert_eq!(ids.known.lock().unwrap().len(), CACHED_IDS.get());
    }
}
