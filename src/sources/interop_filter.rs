//! [`InteropFilter`]: a client of op-interop-filter, or of what stands in front of some. It judges no answer.

use super::{Endpoint, EndpointLimits, EndpointUrl, SourceError, is_no_such_method};
use alloy::primitives::{Address, B256, U64};
use crosscheck_core::message::{Identifier, Message, encode_access_list};
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

    /// Whether it accepts everything. It is asked about an access list that it must refuse: a filter serves the method that names its
    /// passthrough on its admin port only. `chain_id`: one that it watches.
    ///
    /// # Errors
    /// If it does not serve the check, or does not answer it.
    pub(crate) async fn is_passthrough(&self, chain_id: ChainId) -> Result<bool, SourceError> {
        let (entries, timestamp) = must_be_refused(chain_id);
        let (named, accepted) = tokio::join!(
            self.endpoint.call::<bool>("admin_getPassthroughEnabled", rpc_params![]),
            self.check_access_list(&entries, chain_id, timestamp),
        );
        match accepted {
            // Why it refuses does not matter: in passthrough it refuses nothing.
            Err(error @ SourceError::Refused { .. }) if !is_no_such_method(&error) => {
                Ok(named.unwrap_or(false))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(true),
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

/// An access list, and the timestamp of the block that would execute its message: the message is not older than the block.
fn must_be_refused(chain_id: ChainId) -> (Vec<B256>, UnixSeconds) {
    // So early that every filter has read up to it, and answers by what it knows.
    let timestamp = UnixSeconds(1);
    let identifier = Identifier { origin: Address::ZERO, block_number: 0, log_index: 0, timestamp, chain_id };
    let message = Message { identifier, payload_hash: B256::ZERO };
    (encode_access_list(&message), timestamp)
}
