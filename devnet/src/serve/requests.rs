//! [`Requests`]: how often a server was asked what. It changes no answer.

use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification, RpcServiceBuilder, RpcServiceT};
use jsonrpsee::types::Request;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tower::Layer;
use tower::layer::util::{Identity, Stack};

/// How many methods are distinguished.
const MAX_METHODS: usize = 64;

/// What a method is called that asks for a block with its transactions.
pub const WHOLE_BLOCK: &str = "whole block";

/// How many requests the sidecar made, by method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestCounts {
    /// To the chains' first execution clients.
    pub execution: BTreeMap<String, u64>,
    /// To the chains' rollup nodes.
    pub rollup_node: BTreeMap<String, u64>,
    /// To L1's execution client.
    pub l1: BTreeMap<String, u64>,
}

/// Counts of requests by method. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Requests(Arc<Mutex<BTreeMap<String, u64>>>);

impl Requests {
    /// How many requests there were, by method; those for whole blocks apart.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().clone()
    }

    pub(super) fn counted(&self) -> RpcServiceBuilder<Stack<Self, Identity>> {
        RpcServiceBuilder::new().layer(self.clone())
    }

    fn count(&self, request: &Request<'_>) {
        // Which block, and whether with its transactions: there is no third parameter.
        let is_whole = request.method.starts_with("eth_getBlockBy")
            && request.params.as_ref().is_some_and(|params| params.get().ends_with("true]"));
        let method = if is_whole { WHOLE_BLOCK } else { &*request.method };
        let mut counts = self.0.lock();
        if let Some(count) = counts.get_mut(method) {
            *count = count.saturating_add(1);
        } else if counts.len() < MAX_METHODS {
            counts.insert(method.to_owned(), 1);
        }
    }
}

impl<S> Layer<S> for Requests {
    type Service = CountedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CountedService { inner, requests: self.clone() }
    }
}

/// What [`Requests`] makes of a service.
#[derive(Clone, Debug)]
pub struct CountedService<S> {
    inner: S,
    requests: Requests,
}

impl<S: RpcServiceT> RpcServiceT for CountedService<S> {
    type MethodResponse = S::MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        self.requests.count(&request);
        self.inner.call(request)
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        for entry in batch.iter() {
            if let Ok(BatchEntry::Call(request)) = entry {
                self.requests.count(request);
            }
        }
        self.inner.batch(batch)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}
