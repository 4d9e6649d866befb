//! [`RunningSidecar`] and [`SidecarStarter`]: how the owner of the sidecar's code starts it for a devnet.
//!
//! The devnet hands over the path of a configuration file and talks to what was started over sockets only.

use async_trait::async_trait;
use std::path::PathBuf;

/// Any error of the sidecar.
pub type SidecarError = Box<dyn std::error::Error + Send + Sync>;

/// Starts the sidecar of a configuration file in this process.
#[async_trait]
pub trait SidecarStarter: Send {
    /// Starts it; returns when its servers listen.
    ///
    /// # Errors
    /// When it could not start.
    async fn start(self: Box<Self>, config: PathBuf) -> Result<Box<dyn RunningSidecar>, SidecarError>;
}

/// A sidecar that was started.
#[async_trait]
pub trait RunningSidecar: Send {
    /// Stops it and waits until it has stopped.
    ///
    /// # Errors
    /// When it had failed, or could not stop within its bound.
    async fn shutdown(self: Box<Self>) -> Result<(), SidecarError>;
}
