//! Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end.

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// Cancels the token on Ctrl-C, SIGTERM or SIGHUP, as long as what is returned is kept.
pub(crate) fn cancel_on_signal(cancel: CancellationToken) -> std::io::Result<JoinSet<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut watch = JoinSet::new();
    watch.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => info!("interrupted; ending"),
            _ = terminate.recv() => info!("told to terminate; ending"),
            _ = hang_up.recv() => info!("the terminal is gone, or SIGHUP was sent: settings are read at a start only; ending"),
        }
        cancel.cancel();
    });
    Ok(watch)
}
