//! [`L1Config`], [`SourcesConfig`]: L1, and how endpoints are asked.

use super::form::{URL, duration, list, whole};
use super::section::section;
use super::values::{millis, mins, secs};
use super::{DurationSetting, EndpointHeader, Text};
use crate::sources::{EndpointLimits, EndpointUrl};

section! {
    /// L1.
    pub struct L1Config at "l1.", per_chain: false {
        /// The execution client of L1.
        execution: Option<EndpointUrl> = None, URL
            .unset("each chain with a rollup node needs its unsafe_block_signer, and deposits are not checked against L1")
            .example("\"http://127.0.0.1:8545\"");
    }
}

section! {
    /// How endpoints are asked.
    pub struct SourcesConfig at "sources.", per_chain: false {
        /// The timeout of one request to an endpoint. If half of an endpoint's answers take more than half of
        /// it, the endpoint is reported as slow: on /readyz as not ready, in the log and in
        /// crosscheck_endpoint_timeout_percent.
        timeout: DurationSetting = DurationSetting(secs(10)), duration(millis(10)..=mins(10))
            .if_below("no endpoint can answer in that time")
            .if_above("events would be noticed too late");

        /// How often each rollup node is asked for its heads. Execution clients are asked half as often, and
        /// also whenever a block arrives by gossip.
        poll_interval: DurationSetting = DurationSetting(millis(500)), duration(millis(10)..=mins(10))
            .if_below("the endpoints would be asked without a pause")
            .if_above("events would be noticed too late");

        /// The largest answer that is accepted.
        max_response_mib: u32 = 64, whole(1..=1024).of("MiB");

        /// The most requests to one endpoint at once.
        max_concurrent_requests: usize = 64, whole(1..=1024);

        /// Headers that are sent to endpoints with every request, such as a bearer token or an API key. Each
        /// has the scheme, host and port of the endpoints, the name of the header, and the place of its
        /// value: a file, or an environment variable ("https://l1.example x-api-key=env:L1_KEY"). The place
        /// holds the complete value ("Bearer ..."). It is read once at start, and never shown.
        headers: Vec<Text<EndpointHeader>> = Vec::new(), list("headers with the place of their value, never the value itself")
            .secret()
            .example("[\"https://node.example authorization=file:/run/secrets/node\"]");
    }
}

impl SourcesConfig {
    /// The bounds of one endpoint.
    pub const fn limits(&self) -> EndpointLimits {
        EndpointLimits {
            timeout: self.timeout.0,
            max_response_bytes: self.max_response_mib.saturating_mul(1024 * 1024),
            max_concurrent_requests: self.max_concurrent_requests,
        }
    }
}
