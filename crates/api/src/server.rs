//! The accept loop. `axum::serve` sets no timer, so hyper's header timeout would never fire;
//! this one bounds connections, the time a head may take, and drains when it stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use wire::problem::Problem;

use crate::framing::Guarded;
use crate::pipeline::{Peer, finish, request_id};
use crate::services::Services;

/// Connections that wait to be accepted; the kernel bounds it by `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// For how long connections may finish what they are at when the server stops.
const DRAIN: Duration = Duration::from_secs(8);

/// Serves until `stop` is cancelled, then drains.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(services.options.connections_max));
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, peer, slot)) = accepted else {
            continue;
        };
        let connection = connection(stream, peer, &router, &services);
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, %peer, "a connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some connections did not finish in time and were cut");
    }
}

/// Listens on `host:port`, with a door wide enough for a crowd: what the kernel does not keep there,
/// it lets knock again after a second, then three, then seven.
pub async fn listen(address: &str) -> std::io::Result<TcpListener> {
    let mut failed = None;
    for address in lookup_host(address).await? {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    let unknown = || std::io::Error::new(std::io::ErrorKind::NotFound, "no such host");
    Err(failed.unwrap_or_else(unknown))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // So that a server that was just ended can be started again.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes the next connection once there is a slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
            Some((stream, peer, slot))
        }
        Err(error) => {
            tracing::warn!(%error, "accepting a connection failed");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: &Router,
    services: &Arc<Services>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> + use<> {
    let router = router.clone();
    let shared = Arc::clone(services);
    let conflict = Arc::new(AtomicBool::new(false));
    let stream = Guarded::new(stream, Arc::clone(&conflict));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, services) = (router.clone(), Arc::clone(&shared));
        let conflict = Arc::clone(&conflict);
        async move {
            if conflict.load(Ordering::Relaxed) {
                return Ok(refuse(request.headers(), &services));
            }
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            Ok::<_, std::convert::Infallible>(answer(router, request).await)
        }
    });
    let within = Duration::from_millis(services.options.read_timeout_millis);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(within)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
}

async fn answer(router: Router, request: Request) -> Response {
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The answer to a request with both lengths: the connection ends with it.
fn refuse(headers: &HeaderMap, services: &Services) -> Response {
    let problem = Problem::malformed("Content-Length and Transfer-Encoding exclude each other");
    let mut response = finish(Err(problem), &request_id(headers, services));
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
