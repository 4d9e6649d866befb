//! [`Endpoint`]: one JSON-RPC server over HTTP, with bounds on time, size and concurrency.
//!
//! Never shows a URL's path, query or credentials: keys travel in them.

use super::advice::advice;
use super::endpoint_pace::EndpointPace;
use super::lenient::{Lenient, LenientLayer};
use alloy::primitives::B256;
use core::fmt;
use crosscheck_core::proof::fields;
use crosscheck_p2p::ChainId;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use jsonrpsee::core::ClientError;
use jsonrpsee::core::client::{BatchResponse, ClientT};
use jsonrpsee::core::params::{ArrayParams, BatchRequestBuilder};
use jsonrpsee::http_client::{HttpBackend, HttpClient, HttpClientBuilder, RpcLogger, RpcService};
use jsonrpsee::types::ErrorObject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceBuilder;
use url::{Host, Url};

/// The client name that endpoints get unless their headers say otherwise.
const AGENT: &str = concat!("crosscheck/", env!("CARGO_PKG_VERSION"));

/// Where an endpoint is, and what it wants to be sent with every request. Shown without path, query,
/// credentials and headers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointUrl {
    url: Arc<Url>,
    headers: Option<Arc<HeaderMap>>,
}

/// A text that is not an endpoint's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseEndpointUrlError {
    reason: String,
}

impl FromStr for EndpointUrl {
    type Err = ParseEndpointUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.contains("://") {
            let reason = "not a URL: it does not begin with http:// or https://".to_owned();
            return Err(ParseEndpointUrlError { reason });
        }
        let url = Url::parse(text)
            .map_err(|error| ParseEndpointUrlError { reason: format!("not a URL: {error}") })?;
        if !matches!(url.scheme(), "http" | "https") {
            let reason = format!("scheme {:?} is not http or https", url.scheme());
            return Err(ParseEndpointUrlError { reason });
        }
        Ok(Self { url: Arc::new(url), headers: None })
    }
}

impl EndpointUrl {
    /// The address of the server that serves this chain among others, if the last part of this one's path is
    /// the chain's id: that is how op-supernode serves each of its chains.
    pub fn server_of(&self, chain_id: ChainId) -> Option<Self> {
        let mut url = Url::clone(&self.url);
        let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?.to_owned();
        if last != chain_id.to_string() {
            return None;
        }
        url.path_segments_mut().ok()?.pop_if_empty().pop();
        Some(Self { url: Arc::new(url), headers: self.headers.clone() })
    }

    /// The address at which a server of several chains serves this one.
    pub(crate) fn of_chain(&self, chain_id: ChainId) -> Self {
        let mut url = Url::clone(&self.url);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&chain_id.to_string()).push("");
        }
        Self { url: Arc::new(url), headers: self.headers.clone() }
    }

    /// Whether requests to it would go to a server of this machine that listens at `addr`.
    pub fn reaches(&self, addr: SocketAddr) -> bool {
        let ip = match self.url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::from(ip),
            Some(Host::Ipv6(ip)) => IpAddr::from(ip),
            Some(Host::Domain("localhost")) => IpAddr::from(Ipv4Addr::LOCALHOST),
            Some(Host::Domain(_)) | None => return false,
        };
        let is_host = ip == addr.ip() || (addr.ip().is_unspecified() && ip.is_loopback());
        is_host && self.url.port_or_known_default() == Some(addr.port())
    }
}

impl EndpointUrl {
    /// Whether it is at the scheme, host and port of another one.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    /// The host's name or address, as a URL has it.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Sends a header with every request. One of the same name is replaced.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) {
        let headers = self.headers.get_or_insert_default();
        Arc::make_mut(headers).insert(name, value);
    }
}

impl TryFrom<String> for EndpointUrl {
    type Error = ParseEndpointUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EndpointUrl> for String {
    fn from(url: EndpointUrl) -> Self {
        url.url.as_str().to_owned()
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({self})")
    }
}

/// What an endpoint may take of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointLimits {
    /// How long one request may take.
    pub timeout: Duration,
    /// The largest answer read, in bytes.
    pub max_response_bytes: u32,
    /// How many requests may be under way at once.
    pub max_concurrent_requests: usize,
}

/// Why an endpoint gave no usable answer. Never a statement about a block or a message.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SourceError {
    /// No answer came: refused, timed out, too large, or no HTTP.
    #[error("{endpoint} did not answer {method}: {reason}; {}", advice(.reason))]
    Unreachable {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What it was asked.
        method: &'static str,
        /// What the transport said.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{endpoint} refused {method}: {message} (code {code})")]
    Refused {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What it was asked.
        method: &'static str,
        /// The JSON-RPC error code.
        code: i32,
        /// The server's words.
        message: String,
    },
    /// The answer is not what the method returns, or does not prove what it claims.
    #[error("{endpoint} answered {method} with invalid data: {reason}; do not trust it")]
    Untrustworthy {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What it was asked.
        method: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A part of what was asked for is missing from the answer, as it is with a node that has not caught up
    /// yet.
    #[error(
        "{endpoint} answered {method} with incomplete data: {reason}; it is behind, or lost a part of its data: let it sync"
    )]
    Incomplete {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What it was asked.
        method: &'static str,
        /// What is missing.
        reason: String,
    },
    /// The answer contains something that this version does not know.
    #[error("{endpoint} answered {method} with data that this version cannot read: {reason}")]
    Unread {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What it was asked.
        method: &'static str,
        /// What that is.
        reason: String,
    },
    /// Too few endpoints of a chain say the same.
    #[error(
        "the endpoints of chain {chain_id} do not agree on {subject}: {needed} of {endpoints} must; {said}"
    )]
    NoQuorum {
        /// The chain.
        chain_id: ChainId,
        /// What they were asked about.
        subject: String,
        /// How many must agree.
        needed: usize,
        /// How many there are.
        endpoints: usize,
        /// The answer of each endpoint.
        said: String,
    },
    /// A block that the endpoints agreed on a moment ago, and that none of them has any more.
    #[error(
        "no endpoint of chain {chain_id} returns block {number} ({hash}), which they agreed on a moment ago; ask again"
    )]
    Vanished {
        /// The chain.
        chain_id: ChainId,
        /// The block's height.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// A chain without a rollup node was to be asked for what only that knows.
    #[error("chain {chain_id} has no rollup node; set chains.{chain_id}.rollup_node")]
    NoRollupNode {
        /// The chain.
        chain_id: ChainId,
    },
    /// A quorum that this many endpoints cannot have.
    #[error("chain {chain_id}: {reason}")]
    Quorum {
        /// The chain.
        chain_id: ChainId,
        /// What is wrong with it.
        reason: String,
    },
    /// The client could not be built.
    #[error("an HTTP client for {endpoint} could not be created: {reason}")]
    Client {
        /// Which endpoint.
        endpoint: EndpointUrl,
        /// What went wrong.
        reason: String,
    },
}

/// What is said of a request that was given up for its time.
const TIMED_OUT: &str = "timed out";

impl SourceError {
    /// Whether no answer came within the time that one may take.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(self, Self::Unreachable { reason, .. } if reason == TIMED_OUT)
    }
}

/// One JSON-RPC server.
#[derive(Clone, Debug)]
pub struct Endpoint {
    url: EndpointUrl,
    client: HttpClient,
    lenient: HttpClient<RpcLogger<RpcService<Lenient<HttpBackend>>>>,
    /// Whether it sends answers that only a lenient reader takes.
    needs_lenience: Arc<AtomicBool>,
    pace: EndpointPace,
}

impl Endpoint {
    /// A client of the server at `url`. Connects when first asked.
    ///
    /// # Errors
    /// If no HTTP client can be made (TLS roots missing, for one).
    pub fn new(url: EndpointUrl, limits: EndpointLimits) -> Result<Self, SourceError> {
        let failed =
            |error: ClientError| SourceError::Client { endpoint: url.clone(), reason: error.to_string() };
        let mut headers = url.headers.as_deref().cloned().unwrap_or_default();
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        let builder = HttpClientBuilder::default()
            .request_timeout(limits.timeout)
            .connect_timeout(limits.timeout)
            .max_response_size(limits.max_response_bytes)
            .max_concurrent_requests(limits.max_concurrent_requests)
            .set_headers(headers);
        let needs_lenience = Arc::new(AtomicBool::new(false));
        let layer =
            LenientLayer { largest: limits.max_response_bytes, rewritten: Arc::clone(&needs_lenience) };
        let lenient = builder.clone().set_http_middleware(ServiceBuilder::new().layer(layer));
        let lenient = lenient.build(url.url.as_str()).map_err(failed)?;
        let client = builder.build(url.url.as_str()).map_err(failed)?;
        let pace = EndpointPace::new(url.clone(), limits.timeout);
        Ok(Self { url, client, lenient, needs_lenience, pace })
    }

    /// How long it takes to answer.
    pub(super) const fn pace(&self) -> &EndpointPace {
        &self.pace
    }

    /// Where it is.
    pub const fn url(&self) -> &EndpointUrl {
        &self.url
    }

    /// Calls a method.
    ///
    /// # Errors
    /// No answer, an error, or an answer of another shape.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<T, SourceError> {
        let answer = self.call_raw(method, params).await?;
        fields::read(answer.get()).map_err(|reason| self.untrustworthy(method, &reason))
    }

    /// Calls a method, and reads nothing of the answer.
    ///
    /// # Errors
    /// No answer, or an error.
    pub(super) async fn call_raw(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<Box<RawValue>, SourceError> {
        let answer = self.timed(self.requested(method, params)).await;
        answer.map_err(|error| self.describe(method, error))
    }

    async fn requested(
        &self,
        method: &'static str,
        params: ArrayParams,
    ) -> Result<Box<RawValue>, ClientError> {
        if !self.needs_lenience.load(Ordering::Relaxed) {
            match self.client.request(method, params.clone()).await {
                Err(error) if may_be_repaired(&error) => {}
                answer => return answer,
            }
        }
        self.lenient.request(method, params).await
    }

    /// The answer to a request. How long it took is noted.
    async fn timed<T>(
        &self,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let began = Instant::now();
        let answer = request.await;
        let now = Instant::now();
        let is_answer = matches!(answer, Ok(_) | Err(ClientError::Call(_)));
        self.pace.took(now.saturating_duration_since(began), is_answer, now);
        answer
    }

    /// Calls a method several times in one request. The answers come in the order of the calls.
    ///
    /// # Errors
    /// No answer, an error in place of one of them, or an answer of another shape.
    pub(super) async fn batch<T: DeserializeOwned>(
        &self,
        method: &'static str,
        calls: impl IntoIterator<Item = ArrayParams>,
    ) -> Result<Vec<T>, SourceError> {
        let mut batch = BatchRequestBuilder::new();
        for params in calls {
            batch.insert(method, params).map_err(|error| self.untrustworthy(method, &error))?;
        }
        let answers = self.timed(self.batched(batch)).await.map_err(|error| self.describe(method, error))?;
        let read = |answer: Result<Box<RawValue>, ErrorObject<'_>>| {
            let answer =
                answer.map_err(|refusal| self.describe(method, ClientError::Call(refusal.into_owned())))?;
            fields::read(answer.get()).map_err(|reason| self.untrustworthy(method, &reason))
        };
        answers.into_iter().map(read).collect()
    }

    async fn batched<'a>(
        &self,
        batch: BatchRequestBuilder<'a>,
    ) -> Result<BatchResponse<'a, Box<RawValue>>, ClientError> {
        if !self.needs_lenience.load(Ordering::Relaxed) {
            match self.client.batch_request(batch.clone()).await {
                Err(error) if may_be_repaired(&error) => {}
                answers => return answers,
            }
        }
        self.lenient.batch_request(batch).await
    }

    /// An answer that is invalid, as an error of this endpoint.
    pub fn untrustworthy(&self, method: &'static str, reason: &impl ToString) -> SourceError {
        SourceError::Untrustworthy { endpoint: self.url.clone(), method, reason: reason.to_string() }
    }

    /// An answer that lacks a part of what was asked for, as an error of this endpoint.
    pub(super) fn incomplete(&self, method: &'static str, reason: &impl ToString) -> SourceError {
        SourceError::Incomplete { endpoint: self.url.clone(), method, reason: reason.to_string() }
    }

    /// An answer that this version cannot read, which is not a fault of the endpoint.
    pub(super) fn unread(&self, method: &'static str, reason: &impl ToString) -> SourceError {
        SourceError::Unread { endpoint: self.url.clone(), method, reason: reason.to_string() }
    }

    fn describe(&self, method: &'static str, error: ClientError) -> SourceError {
        let endpoint = self.url.clone();
        match error {
            ClientError::Call(refusal) => SourceError::Refused {
                endpoint,
                method,
                code: refusal.code(),
                message: refusal.message().chars().take(200).collect(),
            },
            ClientError::ParseError(error) => {
                SourceError::Untrustworthy { endpoint, method, reason: error.to_string() }
            }
            ClientError::RequestTimeout => {
                SourceError::Unreachable { endpoint, method, reason: TIMED_OUT.to_owned() }
            }
            other => SourceError::Unreachable { endpoint, method, reason: describe_chain(&other) },
        }
    }
}

/// Whether an answer may have been one that JSON-RPC does not allow.
const fn may_be_repaired(error: &ClientError) -> bool {
    matches!(error, ClientError::ParseError(_) | ClientError::InvalidRequestId(_))
}

/// An error with all that caused it: transports hide "connection refused" two levels down.
fn describe_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn shows_no_secrets() {
        let url: EndpointUrl = "https://user:hunter2@node.example:8545/v3/key?token=abc".parse().unwrap();
        assert_eq!(url.to_string(), "https://node.example:8545");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[rstest]
    #[case::same("http://127.0.0.1:9646/901/", "127.0.0.1:9646", true)]
    #[case::name("http://localhost:9646", "127.0.0.1:9646", true)]
    #[case::any("http://127.0.0.1:9646", "0.0.0.0:9646", true)]
    #[case::known_port("http://127.0.0.1", "127.0.0.1:80", true)]
    #[case::other_port("http://127.0.0.1:9647", "127.0.0.1:9646", false)]
    #[case::other_host("http://10.0.0.1:9646", "127.0.0.1:9646", false)]
    fn reaches(#[case] url: &str, #[case] addr: SocketAddr, #[case] expected: bool) {
        assert_eq!(url.parse::<EndpointUrl>().unwrap().reaches(addr), expected);
    }

    #[rstest]
    #[case::supernode("http://127.0.0.1:7000/901/", Some("http://127.0.0.1:7000/"))]
    #[case::no_slash("http://127.0.0.1:7000/901", Some("http://127.0.0.1:7000/"))]
    #[case::below_a_path("https://node.example/rpc/901?key=abc", Some("https://node.example/rpc?key=abc"))]
    #[case::another_chain("http://127.0.0.1:7000/902/", None)]
    #[case::no_path("http://127.0.0.1:901", None)]
    fn a_server_of_several_chains(#[case] url: &str, #[case] expected: Option<&str>) {
        let server = url.parse::<EndpointUrl>().unwrap().server_of(ChainId::from(901));
        assert_eq!(server.map(String::from).as_deref(), expected);
    }

    #[rstest]
    #[case::root("http://127.0.0.1:7000", "http://127.0.0.1:7000/901/")]
    #[case::below_a_path("https://node.example/rpc/?key=abc", "https://node.example/rpc/901/?key=abc")]
    fn a_chain_of_a_server_of_several(#[case] url: &str, #[case] expected: &str) {
        let chain = url.parse::<EndpointUrl>().unwrap().of_chain(ChainId::from(901));
        assert_eq!(String::from(chain), expected);
    }

    #[rstest]
    #[case::no_url("not a url")]
    #[case::no_scheme("127.0.0.1:8545")]
    #[case::websocket("ws://127.0.0.1:8546")]
    #[case::file("file:///etc/passwd")]
    fn refuses(#[case] text: &str) {
        assert!(text.parse::<EndpointUrl>().is_err());
    }
}
