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
            _ = interrupt.recv() => info!("interrupted; stopping"),
            _ = terminate.recv() => info!("termination requested; stopping"),
            _ = hang_up.recv() => info!("SIGHUP received, settings are read at start only; stopping"),
        }
        cancel.cancel();
    });
    Ok(watch)
}
