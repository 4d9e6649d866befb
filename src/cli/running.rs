//! [`RunningArgs`]: a running crosscheck, asked over JSON-RPC.

use super::UsageError;
use super::listening::ListeningArgs;
use crate::config::RpcConfig;
use crate::sources::{EndpointUrl, ParseEndpointUrlError};
use clap::Args;
use eyre::WrapErr;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::core::params::ArrayParams;
use jsonrpsee::http_client::{HttpClient, HttpClientBuilder};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Which running crosscheck is asked.
#[derive(Debug, Args)]
pub(super) struct RunningArgs {
    /// Its JSON-RPC server, a URL or an address and a port, if it is not the one in CROSSCHECK_RPC_ADDR or
    /// the configuration
    #[arg(long = "rpc", value_name = "URL", value_parser = url)]
    url: Option<EndpointUrl>,
    #[command(flatten)]
    listening: ListeningArgs,
}

/// A URL, or an address and a port.
fn url(text: &str) -> Result<EndpointUrl, ParseEndpointUrlError> {
    match text.parse::<SocketAddr>() {
        Ok(addr) => format!("http://{addr}").parse(),
        Err(_no_address) => text.parse(),
    }
}

/// A client of it.
#[derive(Debug)]
pub(super) struct Running {
    url: EndpointUrl,
    client: HttpClient,
}

impl RunningArgs {
    pub(super) fn client(&self) -> eyre::Result<Running> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => url(&self.listening.addr("rpc", RpcConfig::default().addr)?.to_string())?,
        };
        let built = HttpClientBuilder::default().request_timeout(TIMEOUT).build(String::from(url.clone()));
        let client = built.map_err(|error| UsageError { problem: format!("--rpc {url}: {error}") })?;
        Ok(Running { url, client })
    }
}

impl Running {
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        params: ArrayParams,
    ) -> eyre::Result<T> {
        let asked = self.client.request(method, params).await;
        asked.wrap_err_with(|| format!("crosscheck at {} does not answer {method}; is it running?", self.url))
    }
}
