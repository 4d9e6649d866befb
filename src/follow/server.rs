//! [`serve`]: the JSON-RPC server that followers are pointed at, one path per chain: `POST /<chainId>/`.
//!
//! It answers `optimism_syncStatus`, `optimism_rollupConfig` and `optimism_version`, from memory. It asks
//! nothing of anyone and changes nothing. It is bounded in connections, sizes and times; a caller that it has
//! no room for is answered that it is busy, as on the JSON-RPC port.

use super::Served;
use super::front::{FollowFront, PathChain};
use crate::metrics::{Limit, Metrics};
use crate::web::{BodyBounds, BodyLimits, Bound, Calls, ConnectionLimits, Listener, Overload};
use crosscheck_p2p::ChainId;
use jsonrpsee::server::{BatchRequestConfig, Server, ServerConfig, stop_channel};
use jsonrpsee::types::{ErrorCode, ErrorObjectOwned};
use jsonrpsee::{Extensions, RpcModule};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The largest request, in bytes.
const MAX_REQUEST: u32 = 64 * 1024;

/// The largest answer, in bytes: a batch of rollup configurations.
const MAX_RESPONSE: u32 = 8 * 1024 * 1024;

/// The most requests in a batch.
const MAX_BATCH: u32 = 16;

/// The error code of a method that has nothing to answer with yet.
pub const NOT_READY: i32 = -32_000;

/// op-node's other methods for readers. op-node's client takes an error that says "not found" for an answer:
/// that there is no such head or block.
const NOT_SERVED: [&str; 3] =
    ["optimism_dependencySet", "optimism_outputAtBlock", "optimism_safeHeadAtL1Block"];

/// What `optimism_version` answers.
const VERSION: &str = concat!("crosscheck/", env!("CARGO_PKG_VERSION"));

const FULL: Bound = Bound {
    limit: Limit::FollowConnections,
    remedy: "all connections of the server for followers are in use; see who holds them (ss -tnp), and make \
             follow.addr reachable for your own nodes only",
};

const NO_MEMORY: Bound = Bound {
    limit: Limit::FollowBodies,
    remedy: "the memory for incoming requests of the server for followers is used up; see who sends them (ss -tnp)",
};

const SLOW: Bound = Bound {
    limit: Limit::FollowSlowRequests,
    remedy: "requests to the server for followers were started and not completed; see who sends them (ss -tnp)",
};

/// What followers may take of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FollowLimits {
    connections: ConnectionLimits,
    bodies: BodyLimits,
}

impl FollowLimits {
    const STANDARD: Self = Self {
        connections: ConnectionLimits {
            connections: 256,
            idle: Duration::from_secs(120),
            stalled: Duration::from_secs(30),
        },
        bodies: BodyLimits {
            largest: MAX_REQUEST,
            together: 4 * 1024 * 1024,
            within: Duration::from_secs(30),
        },
    };
}

/// Binds the server. The returned task serves until cancelled.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    served: Served,
    metrics: Metrics,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    serve_within(FollowLimits::STANDARD, addr, served, metrics, cancel).await
}

async fn serve_within(
    limits: FollowLimits,
    addr: SocketAddr,
    served: Served,
    metrics: Metrics,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    let overload = Overload::new(metrics);
    let listener = Listener::bind(addr, limits.connections, FULL, overload.clone()).await?;
    let bound = listener.local_addr()?;
    let config = ServerConfig::builder()
        .http_only()
        // Places are given out by the listener.
        .max_connections(u32::MAX)
        .max_request_body_size(limits.bodies.largest)
        .max_response_body_size(MAX_RESPONSE)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .build();
    let (never, stop) = stop_channel();
    let front = FollowFront {
        builder: Server::builder().set_config(config).to_service_builder(),
        methods: methods(served.clone()).map_err(std::io::Error::other)?.into(),
        served,
        calls: Calls::new(limits.bodies, BodyBounds { full: NO_MEMORY, slow: SLOW }, overload),
        never,
    };
    let task = async move {
        // While it is held, nothing is stopped.
        let _stop = stop;
        listener.serve(Arc::new(front), cancel).await;
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
    for name in NOT_SERVED {
        module.register_method(name, |_, _, _| Err::<(), _>(not_served()))?;
    }
    Ok(module)
}

fn not_served() -> ErrorObjectOwned {
    let text = "not served to followers: ask the chain's rollup node";
    ErrorObjectOwned::owned(ErrorCode::MethodNotFound.code(), text, None::<()>)
}

fn chain_of(extensions: &Extensions) -> Result<ChainId, ErrorObjectOwned> {
    let chain = extensions.get::<PathChain>().map(|chain| chain.0);
    chain.ok_or_else(|| ErrorCode::InternalError.into())
}

fn not_ready(reason: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(NOT_READY, format!("not ready: {reason}"), None::<()>)
}

#[cfg(test)]
mod tests;
