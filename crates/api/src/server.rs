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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use wire::problem::Problem;

use crate::framing::Guarded;
use crate::pipeline::{Peer, finish, request_id};
use crate::services::Services;

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
