//! stub
use super::Outcome;
#[derive(Debug, clap::Args)]
pub(crate) struct DevnetArgs {}
pub(crate) fn run(_args: DevnetArgs) -> eyre::Result<Outcome> {
    Ok(Outcome::Ok)
}
