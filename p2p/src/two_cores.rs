//! [`both`]: two pieces of work on a large block, side by side if there is a second core.
//!
//! On one core, or for little work, one after the other: handing work to another thread takes some
//! microseconds.

/// From how many bytes on hashing is shared: as many as take a core about 0.2 ms, several times what waking a
/// thread costs.
const SHARED_FROM: usize = 128 * 1024;

/// Does both, which between them hash about `bytes`, the `other` on another core, and returns the result of
/// the first.
///
/// The caller's thread does its share itself: to hand over both, and be woken when they are done, costs as
/// much again as waking one helper.
pub(crate) fn both<T>(bytes: usize, one: impl FnOnce() -> T, other: impl FnOnce() + Send) -> T {
    if bytes < SHARED_FROM || rayon::current_num_threads() < 2 {
        other();
        return one();
    }
    rayon::in_place_scope(|scope| {
        scope.spawn(|_| other());
        one()
    })
}
