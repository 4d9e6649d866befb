//! `crosscheck run`: the sidecar.

use super::open_files;
use super::settings::SettingsArgs;
use super::{Outcome, runtime, signals};
use crate::config::{Config, LogFormat};
use crate::service::Service;
use crate::telemetry;
use clap::Args;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Watch the configured chains.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The log format; the same as --log.format
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

impl RunArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let (mut config, unused) = self.settings.read()?;
        config.log.format = self.log_format.unwrap_or(config.log.format);
        telemetry::start(&config.log)?;
        for variable in unused {
            warn!(variable, "environment variable is not a setting; ignored");
        }
        log_start(&config, self.settings.file());
        open_files::raise_limit();
        runtime()?.block_on(async {
            let cancel = CancellationToken::new();
            let _watch = signals::cancel_on_signal(cancel.clone())?;
            let mut service = Service::start(config, cancel).await?;
            let outcome = service.supervise().await;
            let ended = service.shutdown().await;
            outcome.and(ended)?;
            Ok(Outcome::Ok)
        })
    }
}

/// Says which program starts, with what.
fn log_start(config: &Config, file: Option<&Path>) {
    let version = env!("CARGO_PKG_VERSION");
    let file = file.map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let data_dir = config.data_dir.display();
    let ledger = std::fs::metadata(config.data_dir.join("ledger.sqlite"));
    let ledger_bytes = ledger.map_or(0, |ledger| ledger.len());
    info!(version, config = file, %data_dir, ledger_bytes, "crosscheck starting");
}
