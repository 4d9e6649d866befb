//! [`Watch`]: what the devnet asks a sidecar over its JSON-RPC, as any user could.
//!
//! It only reads. A call that fails is logged and made again at the next poll: a sidecar that restarts is still
//! watched. Pages, response sizes and time-outs are bounded.

use super::{
    observations::Observations,
    sidecar_records::{AttestationPage, RefusalPage, SidecarStatus},
};
use jsonrpsee::{
    core::{ClientError, client::ClientT},
    http_client::{HttpClient, HttpClientBuilder},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{net::SocketAddr, time::Duration};

/// The most records that are asked for at once.
const PAGE: usize = 500;
/// The most pages that one poll reads.
const MAX_PAGES: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_RESPONSE_BYTES: u32 = 64 << 20;

/// A watch that could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("no client for the sidecar's RPC at {addr} could be made: {source}")]
pub struct WatchError {
    /// The sidecar's RPC.
    pub addr: SocketAddr,
    /// Why.
    pub source: ClientError,
}

/// A client of one sidecar, and what it was seen to say.
#[derive(Debug)]
pub struct Watch {
    client: HttpClient,
    seen: Observations,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Cursor {
    after: u64,
    limit: usize,
}

impl Watch {
    /// A watch on the sidecar whose RPC listens at `addr`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(addr: SocketAddr) -> Result<Self, WatchError> {
        let client = HttpClientBuilder::new()
            .request_timeout(TIMEOUT)
            .max_response_size(MAX_RESPONSE_BYTES)
            .build(format!("http://{addr}"))
            .map_err(|source| WatchError { addr, source })?;
        Ok(Self { client, seen: Observations::default() })
    }

    /// What was seen so far.
    pub const fn seen(&self) -> &Observations {
        &self.seen
    }

    /// Asks for everything new: status, verdicts and refusals. `outages` are the chains whose clients answer
    /// errors on purpose; `at` is the time since the start of the run.
    pub async fn poll(&mut self, outages: &[u64], at: Duration) {
        if let Err(error) = self.try_poll(outages, at).await {
            tracing::debug!(%error, "the sidecar did not answer");
        }
    }

    async fn try_poll(&mut self, outages: &[u64], at: Duration) -> Result<(), ClientError> {
        let status: SidecarStatus = self.call("crosscheck_status", &Nothing {}).await?;
        self.seen.status = status;
        let mut after = self.seen.attestation_cursor();
        for _ in 0..MAX_PAGES {
            let page: AttestationPage =
                self.call("crosscheck_attestations", &Cursor { after, limit: PAGE }).await?;
            let last = page.attestations.last().map(|record| record.id);
            self.seen.take_attestations(page.attestations, outages);
            match last.filter(|last| *last > after) {
                Some(last) => after = last,
                None => break,
            }
        }
        for _ in 0..MAX_PAGES {
            let after = self.seen.refusal_cursor();
            let page: RefusalPage = self.call("crosscheck_refusals", &Cursor { after, limit: PAGE }).await?;
            if page.refusals.is_empty() {
                break;
            }
            self.seen.take_refusals(page.refusals, at);
        }
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, ClientError> {
        let mut list = jsonrpsee::core::params::ArrayParams::new();
        list.insert(params).map_err(ClientError::ParseError)?;
        self.client.request(method, list).await
    }
}
