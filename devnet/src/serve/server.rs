//! [`RunningServer`]: a JSON-RPC server on a free port of loopback, within bounds.

use super::Requests;
use jsonrpsee::{
    RpcModule,
    core::RegisterMethodError,
    server::{BatchRequestConfig, ServerBuilder, ServerConfig, ServerHandle},
    types::{ErrorObjectOwned, Params, error::INVALID_PARAMS_CODE},
};
use serde::de::DeserializeOwned;
use std::{io, net::SocketAddr};

/// The largest request, bytes.
const MAX_REQUEST_BYTES: u32 = 1 << 20;
/// The largest response, bytes.
const MAX_RESPONSE_BYTES: u32 = 32 << 20;
/// The most connections that one server takes at a time.
const MAX_CONNECTIONS: u32 = 256;
/// The most requests in a batch.
const MAX_BATCH: u32 = 128;
/// The code of errors that a client answers when it cannot serve a request.
pub(crate) const SERVER_ERROR_CODE: i32 = -32_000;

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No port on loopback could be had.
    #[error(
        "no server could be started on loopback ({source}): free some ports or raise the open-files limit"
    )]
    Bind {
        /// What the system said.
        source: io::Error,
    },
    /// Two methods have one name.
    #[error("a method could not be registered: {0}")]
    Register(#[from] RegisterMethodError),
}

/// A running server.
#[derive(Debug)]
pub struct RunningServer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it was asked.
    pub requests: Requests,
    handle: ServerHandle,
}

impl RunningServer {
    /// The base URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops it, and waits until it has stopped.
    pub async fn stop(self) {
        if self.handle.stop().is_ok() {
            self.handle.stopped().await;
        }
    }
}

/// Serves a module on a free port of loopback.
///
/// # Errors
/// When no port can be had.
pub async fn start<C: Send + Sync + 'static>(module: RpcModule<C>) -> Result<RunningServer, ServeError> {
    let config = ServerConfig::builder()
        .http_only()
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_connections(MAX_CONNECTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .build();
    let requests = Requests::default();
    let builder = ServerBuilder::with_config(config).set_rpc_middleware(requests.counted());
    let bound = builder.build(SocketAddr::from(([127, 0, 0, 1], 0))).await;
    let server = bound.map_err(|source| ServeError::Bind { source })?;
    let addr = server.local_addr().map_err(|source| ServeError::Bind { source })?;
    Ok(RunningServer { addr, requests, handle: server.start(module) })
}

/// The positional parameters of a call, read one after the other.
pub(super) struct Arguments<'a>(jsonrpsee::types::params::ParamsSequence<'a>);

impl<'a> Arguments<'a> {
    pub(super) fn of(params: &'a Params<'a>) -> Self {
        Self(params.sequence())
    }

    pub(super) fn next<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ErrorObjectOwned> {
        self.0.next::<T>().map_err(|error| invalid_params(&format!("{name}: {}", error.data_text())))
    }

    pub(super) fn optional<T: DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, ErrorObjectOwned> {
        self.0.optional_next::<T>().map_err(|error| invalid_params(&format!("{name}: {}", error.data_text())))
    }
}

pub(super) trait DataText {
    fn data_text(&self) -> String;
}

impl DataText for ErrorObjectOwned {
    fn data_text(&self) -> String {
        self.data().map_or_else(|| self.message().to_owned(), |data| data.get().to_owned())
    }
}

pub(super) fn invalid_params(message: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INVALID_PARAMS_CODE, format!("invalid params: {message}"), None::<()>)
}

pub(super) fn server_error(message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(SERVER_ERROR_CODE, message, None::<()>)
}
