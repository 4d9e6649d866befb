//! Whether a second core is there to share the hashing of a large block with.

use std::{num::NonZeroUsize, sync::LazyLock, thread::available_parallelism};

/// Asked once: the answer is read from the scheduler and from control groups.
static EXISTS: LazyLock<bool> =
    LazyLock::new(|| available_parallelism().map(NonZeroUsize::get).unwrap_or(1) > 1);

/// Whether the process may run on more than one core.
pub(crate) fn exists() -> bool {
    *EXISTS
}
