//! [`Websockets`]: the websockets' own budget, and what one of them may do.
//!
//! A websocket that neither calls nor listens for a while is closed; one that does not answer pings is closed
//! by the server beneath. Calls of one websocket at once are bounded: a call too many is refused, and is not
//! a verdict.

use crate::metrics::Limit;
use crate::web::{Bound, Overload, busy_text};
use jsonrpsee::core::middleware::{Batch, Notification, RpcServiceT};
use jsonrpsee::server::MethodResponse;
use jsonrpsee::types::error::INTERNAL_ERROR_CODE;
use jsonrpsee::types::{ErrorObjectOwned, Id, Request};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tower::Layer;

/// What websockets may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WebsocketLimits {
    /// How many may be open at once.
    pub websockets: usize,
    /// How long one may be open without a call or a subscription.
    pub idle: Duration,
    /// How many calls of one may be under way at once.
    pub calls: usize,
}

const FULL: Bound = Bound {
    limit: Limit::RpcWebsockets,
    remedy: "all websockets of the JSON-RPC server are in use; see who holds them (ss -tnp), and close those that are not needed",
};

const TOO_MANY_CALLS: Bound = Bound {
    limit: Limit::RpcWebsocketCalls,
    remedy: "a websocket sends calls faster than they are answered; make the client wait for answers, or use HTTP",
};

/// The budget. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Websockets {
    limits: WebsocketLimits,
    places: Arc<Semaphore>,
    overload: Overload,
}

impl Websockets {
    /// None is open.
    pub(super) fn new(limits: WebsocketLimits, overload: Overload) -> Self {
        Self { limits, places: Arc::new(Semaphore::new(limits.websockets)), overload }
    }

    /// A place for one more. `None`: all are taken, which is counted.
    pub(super) fn admit(&self) -> Option<(Websocket, OwnedSemaphorePermit)> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.overload.reached(FULL);
            return None;
        };
        Some((Websocket(Arc::new(State::new(self.limits, self.overload.clone()))), place))
    }
}

/// One websocket: what is under way on it. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Websocket(Arc<State>);

#[derive(Debug)]
struct State {
    idle: Duration,
    used: Mutex<Instant>,
    subscriptions: AtomicUsize,
    calls: Arc<Semaphore>,
    overload: Overload,
}

/// A subscription that lasts until this is dropped.
#[derive(Debug)]
pub(super) struct Subscribed(Arc<State>);

impl State {
    fn new(limits: WebsocketLimits, overload: Overload) -> Self {
        Self {
            idle: limits.idle,
            used: Mutex::new(Instant::now()),
            subscriptions: AtomicUsize::new(0),
            calls: Arc::new(Semaphore::new(limits.calls)),
            overload,
        }
    }

    /// When it counts as idle if nothing happens until then.
    fn idle_at(&self) -> Instant {
        let busy = self.subscriptions.load(Ordering::Acquire) > 0;
        let from = if busy { Instant::now() } else { *self.used.lock() };
        from.checked_add(self.idle).unwrap_or(from)
    }
}

impl Websocket {
    /// Waits until it has been idle for too long.
    pub(super) async fn idled(&self) {
        loop {
            let at = self.0.idle_at();
            if at <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(at).await;
        }
    }

    /// A subscription begins.
    pub(super) fn subscribed(&self) -> Subscribed {
        self.0.subscriptions.fetch_add(1, Ordering::AcqRel);
        Subscribed(Arc::clone(&self.0))
    }

    /// Opens a call. `None`: too many are under way, which is counted.
    fn open_call(&self) -> Option<OwnedSemaphorePermit> {
        *self.0.used.lock() = Instant::now();
        let place = Arc::clone(&self.0.calls).try_acquire_owned().ok();
        if place.is_none() {
            self.0.overload.reached(TOO_MANY_CALLS);
        }
        place
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        *self.0.used.lock() = Instant::now();
        self.0.subscriptions.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Bounds the calls of websockets. Calls over HTTP pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoundedCalls;

impl<S> Layer<S> for BoundedCalls {
    type Service = BoundedCallsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BoundedCallsService { inner }
    }
}

/// What [`BoundedCalls`] makes of a service.
#[derive(Clone, Debug)]
pub(super) struct BoundedCallsService<S> {
    inner: S,
}

impl<S> RpcServiceT for BoundedCallsService<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move {
            let websocket = request.extensions().get::<Websocket>().cloned();
            let place = websocket.as_ref().map(Websocket::open_call);
            if matches!(place, Some(None)) {
                return MethodResponse::error(request.id, too_many_calls());
            }
            inner.call(request).await
        }
    }

    fn batch<'a>(&self, mut batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let inner = self.inner.clone();
        async move {
            let websocket = batch.extensions().get::<Websocket>().cloned();
            let place = websocket.as_ref().map(Websocket::open_call);
            if matches!(place, Some(None)) {
                return MethodResponse::error(Id::Null, too_many_calls());
            }
            inner.batch(batch).await
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.inner.notification(notification)
    }
}

fn too_many_calls() -> ErrorObjectOwned {
    let text = busy_text("too many calls of this websocket are in progress");
    ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, text, None::<()>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crosscheck_core::validity::DependencySet;

    const LIMITS: WebsocketLimits =
        WebsocketLimits { websockets: 2, idle: Duration::from_secs(300), calls: 2 };

    fn websockets() -> Websockets {
        let set = DependencySet::new([].into(), 1);
        Websockets::new(LIMITS, Overload::new(Metrics::new(set).unwrap()))
    }

    #[tokio::test]
    async fn the_budget_is_released() {
        let websockets = websockets();
        let (first, _second) = (websockets.admit().unwrap(), websockets.admit().unwrap());
        assert!(websockets.admit().is_none());
        drop(first);
        assert!(websockets.admit().is_some());
    }

    #[tokio::test]
    async fn calls_at_once_are_bounded() {
        let (websocket, _place) = websockets().admit().unwrap();
        let (first, _second) = (websocket.open_call().unwrap(), websocket.open_call().unwrap());
        assert!(websocket.open_call().is_none());
        drop(first);
        assert!(websocket.open_call().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_subscriptions_keep_a_websocket_open() {
        let (websocket, _place) = websockets().admit().unwrap();
        let began = Instant::now();
        tokio::time::advance(Duration::from_secs(200)).await;
        drop(websocket.open_call());
        let subscribed = websocket.subscribed();
        tokio::time::advance(Duration::from_secs(1000)).await;
        drop(subscribed);
        websocket.idled().await;
        assert_eq!(began.elapsed(), Duration::from_secs(1500));
    }
}
