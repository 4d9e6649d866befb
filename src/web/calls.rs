//! [`Calls`]: hands JSON-RPC calls on once their bodies are read, and answers those that cannot be read.

use super::bodies::{Bodies, BodyError, BodyLimits};
use super::listener::ArrivedRequest;
use super::overload::{Bound, Overload, busy_response};
use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use jsonrpsee::server::{HttpBody, HttpResponse};
use jsonrpsee::types::error::reject_too_big_request;
use jsonrpsee::types::{ErrorObjectOwned, Id, Response, ResponsePayload};
use std::error::Error;
use std::io;
use tower::Service;

/// The bounds that a body may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyBounds {
    /// The bodies of others take all memory.
    pub full: Bound,
    /// A body does not come in time.
    pub slow: Bound,
}

/// Reads calls. Clones share the memory of their bodies.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    bodies: Bodies,
    bounds: BodyBounds,
    overload: Overload,
}

impl Calls {
    /// Nothing is read yet.
    pub(crate) fn new(limits: BodyLimits, bounds: BodyBounds, overload: Overload) -> Self {
        Self { bodies: Bodies::new(limits), bounds, overload }
    }

    /// Reads a call, and has it answered.
    ///
    /// # Errors
    /// If the connection breaks.
    pub(crate) async fn answer<S>(&self, mut service: S, request: ArrivedRequest) -> io::Result<HttpResponse>
    where
        S: Service<hyper::Request<Full<Bytes>>, Response = HttpResponse>,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let body = match self.bodies.read(body).await {
            Ok(body) => body,
            Err(problem) => return self.unread(problem),
        };
        let (bytes, _memory) = body.into_parts();
        service.call(hyper::Request::from_parts(parts, Full::new(bytes))).await.map_err(io::Error::other)
    }

    fn unread(&self, problem: BodyError) -> io::Result<HttpResponse> {
        match problem {
            BodyError::TooLarge => {
                let error = reject_too_big_request(self.bodies.largest());
                return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, error.into_owned()));
            }
            BodyError::Slow => self.overload.reached(self.bounds.slow),
            BodyError::Full => self.overload.reached(self.bounds.full),
            BodyError::Broken => return Err(io::Error::other(problem)),
        }
        Ok(busy_response(&problem.to_string()))
    }
}

fn refusal(status: StatusCode, error: ErrorObjectOwned) -> HttpResponse {
    let body = Response::new(ResponsePayload::<()>::error(error), Id::Null);
    let mut response = HttpResponse::new(HttpBody::from(serde_json::to_string(&body).unwrap_or_default()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
