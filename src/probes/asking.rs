//! [`Asking`]: within which bounds endpoints are asked.
//!
//! Every question has a time limit of its own, and all of them have one together. An endpoint that does not
//! answer in time is not determined.

use crate::metrics::EndpointKind;
use crate::sources::{
    Endpoint, EndpointLimits, EndpointUrl, METHODS, Method, MethodUse, Served, SourceError,
};
use alloy::primitives::B256;
use futures::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long one question may take, with all that it takes to answer it.
const QUESTION: Duration = Duration::from_secs(20);

/// How long all questions may take together.
pub(super) const BUDGET: Duration = Duration::from_secs(60);

/// How many requests to one endpoint may be under way at once.
const REQUESTS: usize = 8;

/// The bounds of one round of questions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// The bounds of an endpoint.
    pub(super) limits: EndpointLimits,
    until: Instant,
}

impl Asking {
    /// A round that begins now, of endpoints with these bounds at most.
    pub(super) fn new(limits: EndpointLimits, now: Instant) -> Self {
        let max_concurrent_requests = limits.max_concurrent_requests.min(REQUESTS);
        let limits = EndpointLimits { max_concurrent_requests, ..limits };
        Self { limits, until: now.checked_add(BUDGET).unwrap_or(now) }
    }

    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(QUESTION).unwrap_or(now).min(self.until)
    }

    /// The answer to a question, if it comes in time.
    pub(super) async fn within<T, E: From<SourceError>>(
        &self,
        endpoint: &EndpointUrl,
        method: &'static str,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        timeout_at(self.deadline(), answer).await.unwrap_or_else(|_| {
            let reason = "no answer in time".to_owned();
            Err(SourceError::Unreachable { endpoint: endpoint.clone(), method, reason }.into())
        })
    }

    /// Which methods an endpoint serves, but for those that have a finding of their own. `block`: one that it
    /// has, if any is known.
    pub(super) async fn methods(
        &self,
        endpoint: &Endpoint,
        kind: EndpointKind,
        block: B256,
    ) -> Vec<(&'static Method, Served)> {
        let ask = |method: &'static Method| async move {
            let served = timeout_at(self.deadline(), endpoint.serves(method, block)).await;
            (method, served.unwrap_or_else(|_| Served::Unknown { reason: "no answer in time".to_owned() }))
        };
        join_all(
            METHODS.iter().filter(|method| method.of == kind && method.need != MethodUse::Apart).map(ask),
        )
        .await
    }
}
