//! [`MessageIds`]: the ids of gossip messages, worked out once for each frame and not for each copy of it.
//!
//! A mesh sends every frame several times, and an id takes decompressing and SHA-256. A copy with the same bytes on the
//! same topic costs one SipHash instead. Its key is drawn at the start and never leaves the process, so that nobody can
//! make two frames that are taken for one. Never keeps a frame. A frame that says the same in other bytes is worked out.

use crate::{MessageId, message_id};
use lru::LruCache;
use std::{
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

/// How many ids are remembered: the blocks of many minutes, or of one burst of attestations.
const REMEMBERED: NonZeroUsize = match NonZeroUsize::new(4_096) {
    Some(count) => count,
    None => NonZeroUsize::MIN,
};

/// How an id is worked out.
type WorkOut = fn(&str, &[u8]) -> MessageId;

/// The ids, of the frames seen last.
pub(super) struct MessageIds {
    key: RandomState,
    known: Mutex<LruCache<u64, MessageId>>,
    work_out: WorkOut,
}

impl MessageIds {
    /// No id yet.
    pub(super) fn new() -> Self {
        Self::worked_out_by(message_id)
    }

    fn worked_out_by(work_out: WorkOut) -> Self {
        Self { key: RandomState::new(), known: Mutex::new(LruCache::new(REMEMBERED)), work_out }
    }

    /// The id of a frame on a topic.
    pub(super) fn of(&self, topic_path: &str, frame: &[u8]) -> MessageId {
        let hash = self.key.hash_one((topic_path, frame));
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known().get(&hash) {
            return *id;
        }
        let id = (self.work_out)(topic_path, frame);
        known().put(hash, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static WORKED_OUT: Cell<usize> = const { Cell::new(0) };
    }

    fn counted(topic_path: &str, frame: &[u8]) -> MessageId {
        WORKED_OUT.set(WORKED_OUT.get() + 1);
        message_id(topic_path, frame)
    }

    #[test]
    fn a_copy_is_not_worked_out_again() {
        let ids = MessageIds::worked_out_by(counted);
        let frame = snap::raw::Encoder::new().compress_vec(&[0; 100_000]).unwrap();
        let asked: Vec<_> = (0..100).map(|_| ids.of("a", &frame)).collect();
        assert_eq!(asked, vec![message_id("a", &frame); 100]);
        assert_eq!(WORKED_OUT.get(), 1);
    }

    #[test]
    fn every_frame_on_every_topic_has_its_own() {
        let ids = MessageIds::new();
        let frames = [("a", &b"frame"[..]), ("b", b"frame"), ("a", b"frames"), ("af", b"rame"), ("a", b"")];
        for (topic, frame) in frames.into_iter().chain(frames) {
            assert_eq!(ids.of(topic, frame), message_id(topic, frame));
        }
    }

    #[test]
    fn only_a_bounded_number_is_remembered() {
        let ids = MessageIds::worked_out_by(counted);
        let frame = |number: usize| number.to_le_bytes();
        (0..=REMEMBERED.get()).for_each(|number| _ = ids.of("a", &frame(number)));
        let first = ids.of("a", &frame(0));
        assert_eq!(first, message_id("a", &frame(0)));
        assert_eq!(WORKED_OUT.get(), REMEMBERED.get() + 2);
        assert_eq!(ids.known.lock().unwrap().len(), REMEMBERED.get());
    }
}
