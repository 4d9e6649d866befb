//! [`serve`]: the JSON-RPC server's task, bounded in connections and sizes.

use jsonrpsee::RpcModule;
use jsonrpsee::server::{BatchRequestConfig, Server, ServerConfig};
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// How many connections may be open at once.
const MAX_CONNECTIONS: u32 = 256;

/// The largest request, in bytes.
const MAX_REQUEST: u32 = 1024 * 1024;

/// The largest answer, in bytes.
const MAX_RESPONSE: u32 = 64 * 1024 * 1024;

/// The most requests in a batch.
const MAX_BATCH: u32 = 64;

/// How many subscriptions a connection may have.
const MAX_SUBSCRIPTIONS: u32 = 8;

/// How many messages may wait for a websocket's reader.
const MAX_WAITING: u32 = 256;

/// Binds the server. The returned task serves until cancelled.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    methods: RpcModule<()>,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    let config = ServerConfig::builder()
        .max_connections(MAX_CONNECTIONS)
        .max_request_body_size(MAX_REQUEST)
        .max_response_body_size(MAX_RESPONSE)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_message_buffer_capacity(MAX_WAITING)
        .build();
    let server = Server::builder().set_config(config).build(addr).await?;
    let bound = server.local_addr()?;
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
