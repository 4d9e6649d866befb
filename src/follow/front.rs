//! [`FollowFront`]: which chain a follower's request names, before a method sees it: `/901` and `/901/` name
//! chain 901.

use super::Served;
use crate::web::{Answers, ArrivedRequest, Calls};
use crosscheck_p2p::ChainId;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use hyper::StatusCode;
use jsonrpsee::server::{HttpBody, HttpResponse, Methods, StopHandle, TowerServiceBuilder};
use std::io;
use std::sync::Arc;
use tower::layer::util::Identity;

/// The chain that a request's path names.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathChain(pub ChainId);

/// Answers followers' requests.
#[derive(Debug)]
pub(super) struct FollowFront {
    /// Makes what answers a connection's calls.
    pub builder: TowerServiceBuilder<Identity, Identity>,
    /// The methods.
    pub methods: Methods,
    /// The chains that a path may name.
    pub served: Served,
    /// Reads what is sent.
    pub calls: Calls,
    /// The token that ends the calls. They end by themselves.
    pub never: StopHandle,
}

impl Answers for FollowFront {
    fn answer(self: Arc<Self>, mut request: ArrivedRequest) -> BoxFuture<'static, io::Result<HttpResponse>> {
        let Some(chain_id) = self.chain(request.uri().path()) else {
            return ready(Ok(unknown_chain())).boxed();
        };
        request.extensions_mut().insert(PathChain(chain_id));
        async move {
            let service = self.builder.clone().build(self.methods.clone(), self.never.clone());
            self.calls.answer(service, request).await
        }
        .boxed()
    }
}

impl FollowFront {
    fn chain(&self, path: &str) -> Option<ChainId> {
        let name = path.strip_prefix('/')?;
        let chain_id = name.strip_suffix('/').unwrap_or(name).parse().ok()?;
        self.served.serves(chain_id).then_some(chain_id)
    }
}

fn unknown_chain() -> HttpResponse {
    const TEXT: &str = "this chain is not served here: the path is /<chainId>/\n";
    let mut response = HttpResponse::new(HttpBody::from(TEXT));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
