//! The HTTP server of liveness, readiness and metrics, and what every HTTP server of the program is bounded
//! by.
//!
//! - `GET /healthz`: 200 while the program runs.
//! - `GET /readyz`: 200 when everything needed works, else 503; JSON with the reasons.
//! - `GET /metrics`: Prometheus' text format.

mod bodies;
mod calls;
mod listener;
mod metrics;
mod overload;
mod patient_stream;

pub(crate) use bodies::BodyLimits;
pub(crate) use calls::{BodyBounds, Calls};
pub(crate) use listener::{Answers, ArrivedRequest, ConnectionLimits, Listener};
pub use metrics::ProcessMetrics;
pub(crate) use overload::{Bound, Overload, busy_response, busy_text};

use crate::health::Health;
use crate::process_use::ProcessUse;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether everything needed works.
    pub ready: bool,
    /// What blocks readiness.
    pub reasons: Vec<String>,
}

/// Binds the server. The returned task serves until cancelled.
///
/// # Errors
/// If the address cannot be bound.
pub async fn serve(
    addr: SocketAddr,
    health: Health,
    metrics: ProcessMetrics,
    cancel: CancellationToken,
) -> std::io::Result<(SocketAddr, impl Future<Output = std::io::Result<()>> + Send + 'static)> {
    let listener = TcpListener::bind(addr).await?;
    let bound = listener.local_addr()?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz).with_state(health.clone()))
        .route("/metrics", get(render).with_state((health, metrics)));
    let task =
        async move { axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned()).await };
    Ok((bound, task))
}

async fn readyz(State(health): State<Health>) -> Response {
    let reasons = health.reasons();
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons })).into_response()
}

async fn render(State((health, metrics)): State<(Health, ProcessMetrics)>) -> Response {
    metrics.parts(health.parts());
    if let Some(found) = ProcessUse::read() {
        metrics.process(&found);
    }
    match metrics.shared().render() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
