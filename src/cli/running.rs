//! [`RunningArgs`]: a running crosscheck, asked over JSON-RPC.

use super::UsageError;
use crate::sources::EndpointUrl;
use clap::Args;
use eyre::WrapErr;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Which running crosscheck is asked.
#[derive(Debug, Args)]
pub(super) struct RunningArgs {
    /// Where its JSON-RPC server is
    #[arg(long = "rpc", value_name = "URL", default_value = "http://127.0.0.1:9645")]
    url: EndpointUrl,
}

/// A client of it.
#[derive(Debug)]
pub(super) struct Running<'a> {
    url: &'a EndpointUrl,
    client: HttpClient,
}

impl RunningArgs {
    pub(super) fn client(&self) -> Result<Running<'_>, UsageError> {
        let url = &self.url;
        let built = HttpClientBuilder::default().request_timeout(TIMEOUT).build(String::from(url.clone()));
        let client = built.map_err(|error| UsageError { problem: format!("--rpc {url}: {error}") })?;
        Ok(Running { url, client })
    }
}

impl Running<'_> {
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> eyre::Result<T> {
        let asked = self.client.request(method, params).await;
        asked.wrap_err_with(|| format!("crosscheck at {} does not answer {method}; does it run?", self.url))
    }
}
