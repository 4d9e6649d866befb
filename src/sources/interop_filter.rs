//! [`InteropFilter`]: a client of op-interop-filter, or of what stands in front of some. It judges no answer.

use super::{Endpoint, EndpointLimits, EndpointUrl, SourceError, is_no_such_method};
use alloy::primitives::{B256, U64};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::rpc_params;
use serde::de::IgnoredAny;
use serde_json::json;

/// The level that messages are asked for: their logs exist. What is above it every program reaches in its own time.
const LEVEL: &str = "unsafe";

/// A client of an interop filter.
#[derive(Clone, Debug)]
pub(crate) struct InteropFilter {
    endpoint: Endpoint,
}

impl InteropFilter {
    /// A client of the filter at `url`.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub(crate) fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        Ok(Self { endpoint: Endpoint::new(url, limits)? })
    }

    /// Whether it accepts everything. `None`: it does not say. A filter says so on its admin port only.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn is_passthrough(&self) -> Result<Option<bool>, SourceError> {
        match self.endpoint.call("admin_getPassthroughEnabled", rpc_params![]).await {
            Ok(is_on) => Ok(Some(is_on)),
            Err(SourceError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks an access list of a transaction on this chain, in a block of this timestamp: by the method of today, or its older name.
    ///
    /// # Errors
    /// If it is refused, or there is no answer.
    pub(crate) async fn check_access_list(
        &self,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SourceError> {
        match self.check("interop_checkAccessList", entries, chain_id, timestamp).await {
            Err(error) if is_no_such_method(&error) => {
                self.check("supervisor_checkAccessList", entries, chain_id, timestamp).await
            }
            answer => answer,
        }
    }

    async fn check(
        &self,
        method: &'static str,
        entries: &[B256],
        chain_id: ChainId,
        timestamp: UnixSeconds,
    ) -> Result<(), SourceError> {
        let descriptor = json!({ "chainID": chain_id.to_string(), "timestamp": U64::from(timestamp.0) });
        let answer: Option<IgnoredAny> =
            self.endpoint.call(method, rpc_params![entries, LEVEL, descriptor]).await?;
        match answer {
            None => Ok(()),
            Some(_) => Err(self.endpoint.untrustworthy(method, &"the answer is not null")),
        }
    }
}
