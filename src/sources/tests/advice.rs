//! Servers that give no usable answer: what the operator is told to do about each.

use crate::sources::{Endpoint, EndpointLimits, SourceError};
use jsonrpsee::rpc_params;
use rstest::rstest;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server that sends these bytes to anyone who connects, once something was sent to it, and closes.
async fn server(answer: &'static str, serving: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    serving.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut sent = [0; 65_536];
            let _size = stream.read(&mut sent).await;
            let _sent = stream.write_all(answer.as_bytes()).await;
        }
    });
    host
}

#[rstest]
#[case::no_credentials(
    "http",
    "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
    "requires credentials"
)]
#[case::forbidden("http", "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "requires credentials")]
#[case::no_such_path("http", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "check the path")]
#[case::over_its_limit(
    "http",
    "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n",
    "over its rate limit"
)]
#[case::moved(
    "http",
    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n",
    "redirects"
)]
#[case::page(
    "http",
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>",
    "not in JSON-RPC"
)]
#[case::no_tls("https", "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "write http:// in its URL")]
#[case::no_http("http", "220 mail.example ESMTP\r\n", "check that it runs and is reachable")]
#[tokio::test]
async fn the_error_says_what_to_do(
    #[case] scheme: &str,
    #[case] answer: &'static str,
    #[case] expected: &str,
) {
    let mut serving = JoinSet::new();
    let host = server(answer, &mut serving).await;
    let limits = EndpointLimits {
        timeout: Duration::from_secs(300),
        max_response_bytes: 1 << 20,
        max_concurrent_requests: 1,
    };
    let endpoint = Endpoint::new(format!("{scheme}://{host}").parse().unwrap(), limits).unwrap();
    let error = endpoint.call::<String>("eth_chainId", rpc_params![]).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(expected), "{error}");
}
