//! [`raise_limit`]: how many files and sockets the process may have open.
//!
//! Each peer, endpoint and caller takes one. Many systems give a process 1,024 unless it asks for more.

use tracing::{info, warn};

/// Fewer than this are soon used up, by peers alone.
const FEW: u64 = 4_096;

/// Raises the limit as far as the system lets it.
pub(super) fn raise_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < FEW => warn!(
            limit,
            "open file limit is low; raise the hard limit (LimitNOFILE= in a systemd unit, ulimit -Hn in a shell)"
        ),
        Ok(limit) => info!(limit, "open file limit"),
        Err(error) => warn!(%error, "open file limit cannot be raised"),
    }
}
