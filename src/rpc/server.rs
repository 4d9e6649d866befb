//! [`serve`]: the JSON-RPC server's task, bounded in connections, websockets, sizes and times.

use super::front::RpcFront;
use super::websockets::{BoundedCalls, WebsocketLimits, Websockets};
use crate::metrics::{Limit, Metrics};
use crate::web::{BodyBounds, BodyLimits, Bound, Calls, ConnectionLimits, Listener, Overload};
use crosscheck_p2p::ChainId;
use jsonrpsee::RpcModule;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{BatchRequestConfig, PingConfig, Server, ServerConfig, stop_channel};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The largest request, in bytes: go-ethereum's bound.
const MAX_REQUEST: u32 = 5 * 1024 * 1024;

/// The largest answer, in bytes.
const MAX_RESPONSE: u32 = 64 * 1024 * 1024;

/// The most requests in a batch.
const MAX_BATCH: u32 = 64;

/// How many subscriptions a connection may have.
const MAX_SUBSCRIPTIONS: u32 = 8;

/// How many messages may wait for a websocket's reader.
const MAX_WAITING: u32 = 256;

const FULL: Bound = Bound {
    limit: Limit::RpcConnections,
    remedy: "all connections of the JSON-RPC server are in use; see who holds them (ss -tnp), and put a proxy that \
             limits callers in front of rpc.addr if they are not yours",
};

const NO_MEMORY: Bound = Bound {
    limit: Limit::RpcBodies,
    remedy: "the memory for incoming requests of the JSON-RPC server is used up; see who sends large or slow requests (ss -tnp)",
};

const SLOW: Bound = Bound {
    limit: Limit::RpcSlowRequests,
    remedy: "requests to the JSON-RPC server were started and not completed; see who sends them (ss -tnp)",
};

/// What callers may take of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RpcLimits {
    pub(super) connections: ConnectionLimits,
    pub(super) bodies: BodyLimits,
    pub(super) websockets: WebsocketLimits,
}

impl RpcLimits {
    pub(super) const STANDARD: Self = Self {
        connections: ConnectionLimits {
            connections: 2048,
            idle: Duration::from_secs(120),
            stalled: Duration::from_secs(30),
        },
        bodies: BodyLimits {
            largest: MAX_REQUEST,
            together: 64 * 1024 * 1024,
            within: Duration::from_secs(30),
        },
        websockets: WebsocketLimits { websockets: 256, idle: Duration::from_secs(600), calls: 32 },
    };
}

/// Binds the server. The returned task serves until cancelled. `chains` are those that a path may name.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    methods: RpcModule<()>,
    chains: BTreeSet<ChainId>,
    metrics: Metrics,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    serve_within(RpcLimits::STANDARD, addr, methods, chains, metrics, cancel).await
}

pub(super) async fn serve_within(
    limits: RpcLimits,
    addr: SocketAddr,
    methods: RpcModule<()>,
    chains: BTreeSet<ChainId>,
    metrics: Metrics,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    let overload = Overload::new(metrics);
    let listener = Listener::bind(addr, limits.connections, FULL, overload.clone()).await?;
    let bound = listener.local_addr()?;
    let config = ServerConfig::builder()
        // Places are given out by the listener and the websockets' budget.
        .max_connections(u32::MAX)
        .max_request_body_size(limits.bodies.largest)
        .max_response_body_size(MAX_RESPONSE)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_message_buffer_capacity(MAX_WAITING)
        .enable_ws_ping(PingConfig::new())
        .build();
    let (never, stop) = stop_channel();
    let open = TaskTracker::new();
    let front = RpcFront {
        builder: Server::builder()
            .set_config(config)
            .set_rpc_middleware(RpcServiceBuilder::new().layer(BoundedCalls))
            .to_service_builder(),
        methods: methods.into(),
        chains,
        calls: Calls::new(limits.bodies, BodyBounds { full: NO_MEMORY, slow: SLOW }, overload.clone()),
        websockets: Websockets::new(limits.websockets, overload),
        open: open.clone(),
        cancel: cancel.clone(),
        never,
    };
    let task = async move {
        // While it is held, nothing is stopped.
        let _stop = stop;
        listener.serve(Arc::new(front), cancel).await;
        open.close();
        open.wait().await;
        Ok(())
    };
    Ok((bound, task))
}
