//! [`both`]: two pieces of work on a large block, side by side if there is a second core.
//!
//! On one core, or for little work, one after the other: handing work to another thread takes some microseconds.

/// From how many bytes on hashing is shared: as many as take a core about 0.2 ms, several times what waking a thread
/// costs.
const SHARED_FROM: usize = 128 * 1024;

/// Does both, which between them hash about `bytes`, and gives what they come to.
pub(crate) fn both<A: Send, B: Send>(
    bytes: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if bytes < SHARED_FROM || rayon::current_num_threads() < 2 {
        return (one(), other());
    }
    rayon::join(one, other)
}
