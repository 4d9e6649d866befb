//! [`Front`]: what becomes of a request before a method sees it: which path it names, whether there is a place for it.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /`, `GET /healthz` | 200 while the program runs |
//! | `/<chain id>/` | as anywhere else, for that chain where a method wants to know which |
//! | the same with another number | 404 |
//! | a websocket | its own budget; 503 when that is taken |
//! | a call | its body is read, in bounded time and memory; 503 when there is no room |

use super::websockets::{BoundedCalls, Websockets};
use crate::web::{Answers, ArrivedRequest, Bodies, BodyError, Bound, Overload, busy_response};
use crosscheck_p2p::ChainId;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::{Method, StatusCode};
use jsonrpsee::server::{
    HttpBody, HttpResponse, Methods, StopHandle, TowerServiceBuilder, stop_channel, ws::is_upgrade_request,
};
use jsonrpsee::types::error::reject_too_big_request;
use jsonrpsee::types::{ErrorObjectOwned, Id, Response, ResponsePayload};
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

const NO_MEMORY: Bound = Bound {
    name: "rpc-bodies",
    remedy: "the requests that are being sent to the JSON-RPC server take all the memory there is for them; see who \
             sends large ones, or sends them slowly (ss -tnp)",
};

const SLOW: Bound = Bound {
    name: "rpc-slow-requests",
    remedy: "requests to the JSON-RPC server were begun and not sent to their end; see who does that (ss -tnp)",
};

/// Answers requests to the JSON-RPC server.
#[derive(Debug)]
pub(super) struct Front {
    /// Makes what answers a connection's calls.
    pub builder: TowerServiceBuilder<Stack<BoundedCalls, Identity>, Identity>,
    /// The methods.
    pub methods: Methods,
    /// The chains that a path may name.
    pub chains: BTreeSet<ChainId>,
    /// Reads what is sent.
    pub bodies: Bodies,
    /// The websockets' budget.
    pub websockets: Websockets,
    /// Tells of what is full.
    pub overload: Overload,
    /// The open websockets.
    pub open: TaskTracker,
    /// Ends them.
    pub cancel: CancellationToken,
    /// What calls over HTTP are told to end by. They end by themselves.
    pub never: StopHandle,
}

/// Where a path leads.
enum Place {
    Anywhere,
    Chain(ChainId),
    Nowhere,
}

impl Answers for Front {
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
                    "no such chain is served here: the path is /, or /<chain id>/ of a configured chain\n";
                return futures::future::ready(Ok(text(StatusCode::NOT_FOUND, words))).boxed();
            }
        }
        if upgrades { self.websocket(request).boxed() } else { self.call(request).boxed() }
    }
}

impl Front {
    fn place(&self, path: &str) -> Place {
        let name = path.trim_start_matches('/').trim_end_matches('/');
        match name.parse::<ChainId>() {
            Ok(chain_id) if self.chains.contains(&chain_id) => Place::Chain(chain_id),
            Ok(_) => Place::Nowhere,
            Err(_) => Place::Anywhere,
        }
    }

    async fn call(self: Arc<Self>, request: ArrivedRequest) -> io::Result<HttpResponse> {
        let (parts, body) = request.into_parts();
        let body = match self.bodies.read(body).await {
            Ok(body) => body,
            Err(problem) => return self.unread(problem),
        };
        let (bytes, _memory) = body.into_parts();
        let mut service = self.builder.clone().build(self.methods.clone(), self.never.clone());
        service.call(hyper::Request::from_parts(parts, Full::new(bytes))).await.map_err(io::Error::other)
    }

    fn unread(&self, problem: BodyError) -> io::Result<HttpResponse> {
        match problem {
            BodyError::TooLarge => {
                let error = reject_too_big_request(self.bodies.largest());
                return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, error.into_owned()));
            }
            BodyError::Slow => self.overload.reached(SLOW),
            BodyError::Full => self.overload.reached(NO_MEMORY),
            BodyError::Broken => return Err(io::Error::other(problem)),
        }
        Ok(busy_response(&problem.to_string()))
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

fn refusal(status: StatusCode, error: ErrorObjectOwned) -> HttpResponse {
    let body = Response::new(ResponsePayload::<()>::error(error), Id::Null);
    let mut response = HttpResponse::new(HttpBody::from(serde_json::to_string(&body).unwrap_or_default()));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
