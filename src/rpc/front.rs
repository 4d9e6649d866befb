//! [`RpcFront`]: what becomes of a request before a method sees it: which path it names, whether there is a
//! place for it.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /`, `GET /healthz` | 200 while the program runs |
//! | `/<chain id>/` | as anywhere else, for that chain where a method wants to know which |
//! | the same with another number | 404 |
//! | a websocket | its own budget; 503 when that is taken |
//! | a call | its body is read, in bounded time and memory; 503 when there is no room |

use super::websockets::{BoundedCalls, Websockets};
use crate::web::{Answers, ArrivedRequest, Calls, busy_response};
use crosscheck_p2p::ChainId;
use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::{Method, StatusCode};
use jsonrpsee::server::{
    HttpBody, HttpResponse, Methods, StopHandle, TowerServiceBuilder, stop_channel, ws::is_upgrade_request,
};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;
use tower::layer::util::{Identity, Stack};

/// The chain that a request's path names.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathChain(pub ChainId);

/// Answers requests to the JSON-RPC server.
#[derive(Debug)]
pub(super) struct RpcFront {
    /// Makes what answers a connection's calls.
    pub builder: TowerServiceBuilder<Stack<BoundedCalls, Identity>, Identity>,
    /// The methods.
    pub methods: Methods,
    /// The chains that a path may name.
    pub chains: BTreeSet<ChainId>,
    /// Reads what is sent.
    pub calls: Calls,
    /// The websockets' budget.
    pub websockets: Websockets,
    /// The open websockets.
    pub open: TaskTracker,
    /// Ends them.
    pub cancel: CancellationToken,
    /// The shutdown signal of calls over HTTP. They end by themselves.
    pub never: StopHandle,
}

/// Where a path leads.
enum Place {
    Anywhere,
    Chain(ChainId),
    Nowhere,
}

impl Answers for RpcFront {
    fn answer(self: Arc<Self>, mut request: ArrivedRequest) -> BoxFuture<'static, io::Result<HttpResponse>> {
        let is_probe = request.method() == Method::GET && matches!(request.uri().path(), "/" | "/healthz");
        let upgrades = is_upgrade_request(&request);
        if is_probe && !upgrades {
            return futures::future::ready(Ok(text(StatusCode::OK, "ok\n"))).boxed();
        }
        match self.place(request.uri().path()) {
            Place::Anywhere => {}
            Place::Chain(chain_id) => {
                request.extensions_mut().insert(PathChain(chain_id));
            }
            Place::Nowhere => {
                let words =
                    "this chain is not served here: the path is /, or /<chain id>/ of a configured chain\n";
                return futures::future::ready(Ok(text(StatusCode::NOT_FOUND, words))).boxed();
            }
        }
        if upgrades { self.websocket(request).boxed() } else { self.call(request).boxed() }
    }
}

impl RpcFront {
    fn place(&self, path: &str) -> Place {
        let name = path.trim_start_matches('/').trim_end_matches('/');
        match name.parse::<ChainId>() {
            Ok(chain_id) if self.chains.contains(&chain_id) => Place::Chain(chain_id),
            Ok(_) => Place::Nowhere,
            Err(_) => Place::Anywhere,
        }
    }

    async fn call(self: Arc<Self>, request: ArrivedRequest) -> io::Result<HttpResponse> {
        let service = self.builder.clone().build(self.methods.clone(), self.never.clone());
        self.calls.answer(service, request).await
    }

    async fn websocket(self: Arc<Self>, mut request: ArrivedRequest) -> io::Result<HttpResponse> {
        let Some((websocket, place)) = self.websockets.admit() else {
            return Ok(busy_response("too many websockets are open"));
        };
        request.extensions_mut().insert(websocket.clone());
        let (stop, handle) = stop_channel();
        let mut service = self.builder.clone().build(self.methods.clone(), stop);
        let closed = service.on_session_closed();
        let cancel = self.cancel.clone();
        self.open.spawn(async move {
            let _place = place;
            tokio::pin!(closed);
            tokio::select! {
                () = closed.as_mut() => return,
                () = websocket.idled() => {}
                () = cancel.cancelled() => {}
            }
            let _already_stopped = handle.stop();
            closed.await;
        });
        service.call(request).await.map_err(io::Error::other)
    }
}

fn text(status: StatusCode, words: &'static str) -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::from(words));
    *response.status_mut() = status;
    response
}
