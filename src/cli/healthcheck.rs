//! `crosscheck healthcheck`: asks a running crosscheck how it is. For containers that have no curl.

use super::listening::ListeningArgs;
use super::{Outcome, UsageError, print, print_to_stderr, runtime};
use crate::config::HttpConfig;
use clap::Args;
use eyre::WrapErr;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;

/// The largest answer read.
const MAX_ANSWER: usize = 64 * 1024;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Check that a running crosscheck is alive.
#[derive(Debug, Args)]
pub(crate) struct HealthcheckArgs {
    /// The address of its HTTP server, if it is not the one in CROSSCHECK_HTTP_ADDR or the configuration
    #[arg(long)]
    addr: Option<String>,
    #[command(flatten)]
    listening: ListeningArgs,
    /// Check that it is ready: that everything it needs works
    #[arg(long)]
    ready: bool,
}

impl HealthcheckArgs {
    pub(crate) fn run(&self) -> eyre::Result<Outcome> {
        let path = if self.ready { "readyz" } else { "healthz" };
        let addr = match &self.addr {
            Some(addr) => addr.clone(),
            None => self.listening.addr("http", HttpConfig::default().addr)?.to_string(),
        };
        let uri: hyper::Uri = format!("http://{addr}/{path}").parse().map_err(|error| UsageError {
            problem: format!("--addr {addr} is not an address: {error}; write one such as 127.0.0.1:7300"),
        })?;
        let (healthy, answer) = runtime()?.block_on(ask(uri))?;
        if healthy {
            print(answer.trim_end())?;
            return Ok(Outcome::Ok);
        }
        print_to_stderr(answer.trim_end());
        Ok(Outcome::Failed)
    }
}

async fn ask(uri: hyper::Uri) -> eyre::Result<(bool, String)> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let answer = async {
        let response = client.get(uri).await.wrap_err("crosscheck does not answer")?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|error| eyre::eyre!("the answer cannot be read: {error}"))?;
        Ok((status.is_success(), String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    tokio::time::timeout(TIMEOUT, answer).await.wrap_err("crosscheck does not answer in time")?
}
