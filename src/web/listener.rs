//! [`Listener`]: takes connections, as many as are allowed at once, and hands their requests on.
//!
//! Everybody waits for a bounded time: anyone who sends no request for a while is disconnected, and anyone
//! who does not take its answer. A connection that was upgraded to a websocket is no longer counted here.

use super::overload::{Bound, Overload, busy_response};
use super::patient_stream::PatientStream;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::server::HttpResponse;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// The pause after a connection that could not be taken: the machine is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a refused caller may take to read the answer.
const REFUSAL: Duration = Duration::from_secs(1);

/// How many callers may be answered at once that the server is full. Others are disconnected without an
/// answer.
const REFUSALS: usize = 64;

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    /// How many may be open at once.
    pub connections: usize,
    /// How long one may be open without the whole head of a request.
    pub idle: Duration,
    /// How long an answer may wait without any of it being read.
    pub stalled: Duration,
}

/// A request as it arrives.
pub(crate) type ArrivedRequest = hyper::Request<Incoming>;

/// Answers requests.
pub(crate) trait Answers: Send + Sync + 'static {
    /// Answers one.
    fn answer(self: Arc<Self>, request: ArrivedRequest) -> BoxFuture<'static, std::io::Result<HttpResponse>>;
}

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    limits: ConnectionLimits,
    full: Bound,
    overload: Overload,
}

impl Listener {
    /// Binds an address. `full` is notified when all connections are taken.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub(crate) async fn bind(
        addr: SocketAddr,
        limits: ConnectionLimits,
        full: Bound,
        overload: Overload,
    ) -> std::io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(addr).await?, limits, full, overload })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// If the system does not report it.
    pub(crate) fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until cancelled, and until what is being answered then is answered.
    pub(crate) async fn serve(self, answers: Arc<impl Answers>, cancel: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = cancel.cancelled() => break,
                Some(_ended) = connections.join_next() => continue,
                accepted = self.socket.accept() => accepted,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                Err(problem) => {
                    warn!(%problem, "connection could not be accepted; raise the open file limit if it is reached");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                connections.spawn(connection(
                    socket,
                    place,
                    self.limits,
                    Arc::clone(&answers),
                    cancel.clone(),
                ));
                continue;
            }
            self.overload.reached(self.full);
            if let Ok(refusal) = Arc::clone(&refusals).try_acquire_owned() {
                connections.spawn(refuse(socket, refusal));
            }
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }
}

/// Serves one connection to its end, or to its upgrade.
async fn connection(
    socket: TcpStream,
    _place: OwnedSemaphorePermit,
    limits: ConnectionLimits,
    answers: Arc<impl Answers>,
    cancel: CancellationToken,
) {
    // Small answers are not to wait for more.
    let _as_it_was = socket.set_nodelay(true);
    let io = TokioIo::new(PatientStream::new(socket, limits.stalled));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.idle);
    let service = service_fn(move |request| Arc::clone(&answers).answer(request));
    let served = http.serve_connection(io, service).with_upgrades();
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = cancel.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(problem) = ended {
        debug!(%problem, "connection ended");
    }
}

/// Answers a caller that the server is full. The request is read first, as far as it has come: closing a
/// connection with unread bytes takes the answer back.
async fn refuse(mut socket: TcpStream, _refusal: OwnedSemaphorePermit) {
    let refusal = async {
        let _some_of_it = socket.read(&mut [0; 4096]).await?;
        let response = busy_response("too many connections are open");
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).await?;
        socket.write_all(&body).await?;
        socket.shutdown().await
    };
    // A caller that does not read has disconnected already.
    let _heard = tokio::time::timeout(REFUSAL, refusal).await;
}
