//! [`InteropFilter`]: a client of op-interop-filter, or of a proxy in front of several. It judges no answer.

use super::{Endpoint, EndpointLimits, EndpointUrl, SourceError, is_no_such_method};
use alloy::primitives::{Address, B256, U64};
use crosscheck_core::message::{Identifier, Message, encode_access_list};
use crosscheck_p2p::{ChainId, UnixSeconds};
use jsonrpsee::rpc_params;
use jsonrpsee::types::error::INVALID_PARAMS_CODE;
use serde::de::IgnoredAny;
use serde_json::json;

/// The level that messages are asked for: their logs exist. What is above it every program reaches in its own
/// time.
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

    /// Whether it accepts everything. It is asked about an access list that it must refuse: a filter serves
    /// the method that names its passthrough on its admin port only. `chain_id`: one that it watches.
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
            // Why it refuses does not matter: in passthrough it refuses nothing. A failure of the other
            // method says nothing.
            Err(error @ SourceError::Refused { .. }) if !is_not_served(&error) => Ok(named.unwrap_or(false)),
            Err(error) => Err(error),
            Ok(()) => Ok(true),
        }
    }

    /// Checks an access list of a transaction on this chain, in a block of this timestamp: by the method of
    /// today, or its older name.
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
            Err(error) if is_not_served(&error) => {
                self.check("supervisor_checkAccessList", entries, chain_id, timestamp).await
            }
            answer => answer,
        }
    }

    /// The hash that its block of a chain has at this height. `None`: it has none, or does not serve this.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn block_hash(
        &self,
        chain_id: ChainId,
        number: u64,
    ) -> Result<Option<B256>, SourceError> {
        let params = rpc_params![chain_id.to_string(), U64::from(number)];
        match self.endpoint.call("interop_getBlockHashByNumber", params).await {
            Ok(hash) => Ok(Some(hash)),
            Err(SourceError::Refused { .. }) => Ok(None),
            Err(error) if is_not_served(&error) => Ok(None),
            Err(error) => Err(error),
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

/// The HTTP statuses by which a proxy in front of a filter refuses a method that it does not list.
const UNLISTED: [u16; 4] = [401, 403, 404, 405];

/// Whether a filter, or a proxy in front of it, does not serve the method that it was asked for. -32602 does
/// not mean this: it is the filter's code for every error that has none of its own.
pub(crate) fn is_not_served(error: &SourceError) -> bool {
    match error {
        SourceError::Refused { code: INVALID_PARAMS_CODE, .. } => false,
        SourceError::Unreachable { reason, .. } => {
            UNLISTED.iter().any(|status| reason.contains(&format!("rejected `{status}`")))
        }
        other => is_no_such_method(other),
    }
}

/// An access list, and the timestamp of the block that would execute its message: the message is not older
/// than the block.
fn must_be_refused(chain_id: ChainId) -> (Vec<B256>, UnixSeconds) {
    // So early that every filter has read up to it, and answers by what it knows.
    let timestamp = UnixSeconds(1);
    let identifier = Identifier { origin: Address::ZERO, block_number: 0, log_index: 0, timestamp, chain_id };
    let message = Message { identifier, payload_hash: B256::ZERO };
    (encode_access_list(&message), timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn refused(code: i32, message: &str) -> SourceError {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        SourceError::Refused {
            endpoint,
            method: "interop_checkAccessList",
            code,
            message: message.to_owned(),
        }
    }

    fn rejected(status: u16) -> SourceError {
        let endpoint = "http://127.0.0.1:1".parse().unwrap();
        let reason = format!("Request rejected `{status}`");
        SourceError::Unreachable { endpoint, method: "interop_checkAccessList", reason }
    }

    #[rstest]
    #[case::by_code(refused(-32_601, "no"), true)]
    #[case::by_words(refused(-32_001, "rpc method is not whitelisted"), true)]
    #[case::an_error_without_a_code_of_its_own(refused(-32_602, "method not supported"), false)]
    #[case::a_decision(refused(-320_600, "conflicting data"), false)]
    #[case::not_authorized(rejected(401), true)]
    #[case::forbidden(rejected(403), true)]
    #[case::not_found(rejected(404), true)]
    #[case::not_allowed(rejected(405), true)]
    #[case::too_many_requests(rejected(429), false)]
    #[case::an_outage(rejected(503), false)]
    fn a_filter_or_its_proxy_does_not_serve_a_method(#[case] error: SourceError, #[case] expected: bool) {
        assert_eq!(is_not_served(&error), expected);
    }
}
