//! `crosscheck run`: the sidecar.

use super::settings::SettingsArgs;
use super::{Outcome, runtime, signals};
use crate::config::LogFormat;
use crate::service::Service;
use crate::telemetry;
use clap::Args;
use tokio_util::sync::CancellationToken;

/// Watch the configured chains.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The layout of the log; the same as --log.format
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

impl RunArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let mut config = self.settings.load()?;
        config.log.format = self.log_format.unwrap_or(config.log.format);
        telemetry::start(&config.log)?;
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
