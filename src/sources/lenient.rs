//! [`LenientLayer`]: answers that JSON-RPC does not allow and that some servers send nevertheless, rewritten
//! into those that it does.
//!
//! | a server sends | read as |
//! | --- | --- |
//! | `"error": null` beside a result | the result |
//! | an id as text, where a number was sent | the number |
//!
//! Everything else is left as it is. It reads no result.

use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::CONTENT_LENGTH;
use jsonrpsee::core::BoxError;
use jsonrpsee::core::http_helpers::HttpError;
use jsonrpsee::http_client::transport::Error as TransportError;
use jsonrpsee::http_client::{HttpBody, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Makes a transport lenient.
#[derive(Clone, Debug)]
pub(super) struct LenientLayer {
    /// The largest answer read, in bytes.
    pub largest: u32,
    /// Set once an answer had to be rewritten.
    pub rewritten: Arc<AtomicBool>,
}

/// A lenient transport.
#[derive(Clone, Debug)]
pub(super) struct Lenient<S> {
    inner: S,
    layer: LenientLayer,
}

impl<S> Layer<S> for LenientLayer {
    type Service = Lenient<S>;

    fn layer(&self, inner: S) -> Lenient<S> {
        Lenient { inner, layer: self.clone() }
    }
}

impl<S, B> Service<HttpRequest> for Lenient<S>
where
    S: Service<HttpRequest, Response = HttpResponse<B>, Error = TransportError>,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = HttpResponse;
    type Error = TransportError;
    type Future = BoxFuture<'static, Result<HttpResponse, TransportError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let (answer, layer) = (self.inner.call(request), self.layer.clone());
        async move {
            let (mut parts, body) = answer.await?.into_parts();
            let largest = usize::try_from(layer.largest).unwrap_or(usize::MAX);
            let body = Limited::new(body, largest).collect().await;
            let body = body.map_err(|error| TransportError::Http(HttpError::Stream(error)))?.to_bytes();
            let rewritten = repaired(&body);
            layer.rewritten.fetch_or(rewritten.is_some(), Ordering::Relaxed);
            parts.headers.remove(CONTENT_LENGTH);
            let body = rewritten.map_or_else(|| HttpBody::from(body.to_vec()), HttpBody::from);
            Ok(HttpResponse::from_parts(parts, body))
        }
        .boxed()
    }
}

/// An answer, as far as it is rewritten.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

#[derive(Serialize)]
struct Success<'a> {
    jsonrpc: &'static str,
    id: u64,
    result: Option<&'a RawValue>,
}

/// An answer as JSON-RPC has it. `None`: it is one already, or none that can be rewritten.
fn repaired(answer: &[u8]) -> Option<Vec<u8>> {
    let is_batch = answer.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !is_batch {
        return serde_json::to_vec(&success(&serde_json::from_slice(answer).ok()?)?).ok();
    }
    let answers = serde_json::from_slice::<Vec<Answer<'_>>>(answer).ok()?;
    let answers: Option<Vec<_>> = answers.iter().map(success).collect();
    serde_json::to_vec(&answers?).ok()
}

fn success<'a>(answer: &Answer<'a>) -> Option<Success<'a>> {
    if answer.error.is_some() {
        return None;
    }
    let id = match serde_json::from_str(answer.id.get()).ok()? {
        Id::Number(number) => number,
        Id::Text(text) => text.parse().ok()?,
    };
    Some(Success { jsonrpc: "2.0", id, result: answer.result })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::an_error_that_is_none(
        r#"{"jsonrpc":"2.0","id":7,"result":"0x1","error":null}"#,
        Some(r#"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#)
    )]
    #[case::an_id_as_text(r#"{"id":"7","result":[ 1]}"#, Some(r#"{"jsonrpc":"2.0","id":7,"result":[ 1]}"#))]
    #[case::nothing_there(
        r#"{"id":7,"result":null,"error":null}"#,
        Some(r#"{"jsonrpc":"2.0","id":7,"result":null}"#)
    )]
    #[case::a_batch(
        r#"[{"id":7,"result":1,"error":null}]"#,
        Some(r#"[{"jsonrpc":"2.0","id":7,"result":1}]"#)
    )]
    #[case::an_error(r#"{"id":"7","error":{"code":-32000,"message":"no"}}"#, None)]
    #[case::another_id(r#"{"id":"x","result":1}"#, None)]
    #[case::no_answer("<html>", None)]
    fn answers(#[case] sent: &str, #[case] expected: Option<&str>) {
        let read = repaired(sent.as_bytes());
        assert_eq!(read.map(|read| String::from_utf8(read).unwrap()).as_deref(), expected);
    }
}
