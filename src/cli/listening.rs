//! [`ListeningArgs`]: where a running crosscheck listens, by the settings that it runs with. It is not asked
//! anything here.

use super::UsageError;
use super::settings::variables;
use crate::config::Layers;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// The configuration that a running crosscheck was started with.
#[derive(Debug, Args)]
pub(super) struct ListeningArgs {
    /// The configuration file that it was started with
    #[arg(long, value_name = "FILE", env = "CROSSCHECK_CONFIG")]
    config: Option<PathBuf>,
}

impl ListeningArgs {
    /// Where the server of this section listens: by the environment, else by the file, else where it does by
    /// default. What else is in the settings does not matter.
    pub(super) fn addr(&self, section: &str, default: SocketAddr) -> eyre::Result<SocketAddr> {
        let mut layers = Layers::default();
        if let Some(file) = &self.config {
            layers = layers.file(file)?;
        }
        let key = format!("{section}.addr");
        let variable = format!("CROSSCHECK_{}_ADDR", section.to_uppercase());
        let own = variables()?.into_iter().filter(|(name, _)| *name == variable);
        let addr = layers.environment(own)?.addr(section)?.unwrap_or(default);
        if addr.port() == 0 {
            let problem = format!(
                "{key} = {addr} is another port at each start: the log says which; give it by a flag"
            );
            return Err(UsageError { problem }.into());
        }
        Ok(reachable(addr))
    }
}

/// Where a server of this machine is reached that listens there.
const fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
