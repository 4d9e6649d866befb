//! The sidecar's configuration file, and the interface through which its owner starts it.

mod config_file;
mod running_sidecar;
mod sidecar_config;

pub(crate) use config_file::{ConfigFileError, write_bundle};
pub use running_sidecar::{RunningSidecar, SidecarError, SidecarStarter};
pub(crate) use sidecar_config::{ListenAddrs, sidecar_config};
