//! [`serve`]: the JSON-RPC server that followers are pointed at, one path per chain: `POST /<chainId>/`.
//!
//! It answers `optimism_syncStatus`, `optimism_rollupConfig` and `optimism_version`, from memory. It asks nothing of
//! anyone and changes nothing.

use super::Served;
use crosscheck_p2p::ChainId;
use futures::future::{Either, Ready, ready};
use jsonrpsee::server::{BatchRequestConfig, HttpBody, HttpRequest, HttpResponse, Server, ServerConfig};
use jsonrpsee::types::{ErrorCode, ErrorObjectOwned};
use jsonrpsee::{Extensions, RpcModule};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio_util::sync::CancellationToken;
use tower::{Layer, Service, ServiceBuilder};

/// How many connections may be open at once.
const MAX_CONNECTIONS: u32 = 256;

/// The largest request, in bytes.
const MAX_REQUEST: u32 = 64 * 1024;

/// The largest answer, in bytes: a batch of rollup configurations.
const MAX_RESPONSE: u32 = 8 * 1024 * 1024;

/// The most requests in a batch.
const MAX_BATCH: u32 = 16;

/// The error code of a method that has nothing to answer with yet.
pub const NOT_READY: i32 = -32_000;

/// What `optimism_version` answers.
const VERSION: &str = concat!("crosscheck/", env!("CARGO_PKG_VERSION"));

/// The chain that a request's path names.
#[derive(Clone, Copy, Debug)]
struct PathChain(ChainId);

/// Binds the server. The returned task serves until cancelled.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    served: Served,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    let config = ServerConfig::builder()
        .http_only()
        .max_connections(MAX_CONNECTIONS)
        .max_request_body_size(MAX_REQUEST)
        .max_response_body_size(MAX_RESPONSE)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .build();
    let paths = ServiceBuilder::new().layer(ChainPaths { served: served.clone() });
    let server = Server::builder().set_config(config).set_http_middleware(paths).build(addr).await?;
    let bound = server.local_addr()?;
    let methods = methods(served).map_err(std::io::Error::other)?;
    let task = async move {
        let handle = server.start(methods);
        tokio::select! {
            () = cancel.cancelled() => {
                let _already_stopped = handle.stop();
                handle.stopped().await;
            }
            () = handle.clone().stopped() => {}
        }
        Ok(())
    };
    Ok((bound, task))
}

fn methods(served: Served) -> Result<RpcModule<Served>, jsonrpsee::core::RegisterMethodError> {
    let mut module = RpcModule::new(served);
    module.register_method("optimism_syncStatus", |_, served, extensions| {
        let chain_id = chain_of(extensions)?;
        served.status(chain_id).ok_or_else(|| {
            let pending = served.pending(chain_id);
            not_ready(&pending.unwrap_or_else(|| "there is no status yet".to_owned()))
        })
    })?;
    module.register_method("optimism_rollupConfig", |_, served, extensions| {
        let config = served.rollup_config(chain_of(extensions)?);
        config.ok_or_else(|| not_ready("the chain's rollup node has not given its configuration yet"))
    })?;
    module.register_method("optimism_version", |_, _, extensions| {
        chain_of(extensions).map(|_served| VERSION)
    })?;
    Ok(module)
}

fn chain_of(extensions: &Extensions) -> Result<ChainId, ErrorObjectOwned> {
    let chain = extensions.get::<PathChain>().map(|chain| chain.0);
    chain.ok_or_else(|| ErrorCode::InternalError.into())
}

fn not_ready(reason: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(NOT_READY, format!("not ready: {reason}"), None::<()>)
}

/// Reads the chain from the path. A path that names no served chain is answered with 404 here.
#[derive(Clone, Debug)]
struct ChainPaths {
    served: Served,
}

impl<S> Layer<S> for ChainPaths {
    type Service = ChainPathService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ChainPathService { inner, served: self.served.clone() }
    }
}

#[derive(Clone, Debug)]
struct ChainPathService<S> {
    inner: S,
    served: Served,
}

impl<S> ChainPathService<S> {
    /// `/901` and `/901/` name chain 901.
    fn chain(&self, path: &str) -> Option<ChainId> {
        let name = path.strip_prefix('/')?;
        let chain_id = name.strip_suffix('/').unwrap_or(name).parse().ok()?;
        self.served.serves(chain_id).then_some(chain_id)
    }
}

impl<S, B> Service<HttpRequest<B>> for ChainPathService<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Self::Response, Self::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        let Some(chain_id) = self.chain(request.uri().path()) else {
            return Either::Right(ready(Ok(unknown_chain())));
        };
        request.extensions_mut().insert(PathChain(chain_id));
        Either::Left(self.inner.call(request))
    }
}

fn unknown_chain() -> HttpResponse {
    const TEXT: &str = "no such chain is served here: the path is /<chainId>/\n";
    let mut response = HttpResponse::new(HttpBody::from(TEXT));
    *response.status_mut() = hyper::StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests;
