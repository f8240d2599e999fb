//! The HTTP/1.1 server around an endpoint: accepts with a cap and without a busy loop, answers even
//! what cannot be parsed with a problem document, and ends without losing a request.
//!
//! poem's own server sets no TCP_NODELAY, spins when accepting fails, and closes its listener at the
//! first signal; so this one drives hyper itself.

mod refusal;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use poem::endpoint::{DynEndpoint, ToDynEndpoint};
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use refusal::Refusing;

/// What hyper buffers of a request's head at the most: URL and header fields together.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// How long to wait after a failed accept: descriptors come back as connections end.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// How a server treats its connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at once.
    pub max_connections: usize,
    /// For a request's head to arrive.
    pub header_timeout: Duration,
    /// For requests under way to end once the listener is closed.
    pub shutdown_timeout: Duration,
}

/// How a server is told to end, in two steps.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// First: go on serving, but close each connection with its next answer.
    pub draining: Arc<AtomicBool>,
    /// Then: take no more connections, let requests under way end, return.
    pub stop: CancellationToken,
}

/// In an answer's extensions: the next request on its connection is not looked at before so much time has passed.
///
/// A client that is turned away and asks again at once would otherwise keep the processor busy with turning it
/// away, and those that are served would wait for that. Who waits as it was told notices nothing.
#[derive(Debug, Clone, Copy)]
pub struct Pause(pub Duration);

type Service = Arc<dyn DynEndpoint<Output = Response>>;

/// Serves `endpoint` on `listener` until `shutdown.stop`; returns when the last connection is closed or
/// the time for that is up.
pub async fn serve<E>(listener: TcpListener, endpoint: E, limits: Limits, shutdown: Shutdown)
where
    E: Endpoint<Output = Response> + 'static,
{
    let service: Service = Arc::new(ToDynEndpoint(endpoint));
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let connections = GracefulShutdown::new();
    loop {
        let accept = async {
            // A place first: a connection that cannot be served waits in the system's queue.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = shutdown.stop.cancelled() => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connect(stream, peer, &service, &limits, &shutdown);
                let connection = connection.map(|connection| connections.watch(connection));
                tokio::spawn(async move {
                    if let Ok(connection) = connection {
                        // An error here is the client's: it went away or sent no HTTP.
                        let _ = connection.await;
                    }
                    drop(place);
                });
            }
            // The peer was gone before we came to it; the next one may not be.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!("cannot accept connections: {error}");
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
    drop(listener);
    if timeout(limits.shutdown_timeout, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way after {:?}; closing them", limits.shutdown_timeout);
    }
}

/// hyper's connection for `stream`.
fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    service: &Service,
    limits: &Limits,
    shutdown: &Shutdown,
) -> io::Result<
    http1::Connection<
        TokioIo<Refusing>,
        impl hyper::service::HttpService<Incoming, ResBody = poem_body::Body, Error = Infallible, Future: Send> + use<>,
    >,
> {
    // Answers are written whole: waiting for more to send only delays them.
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let (service, draining) = (Arc::clone(service), Arc::clone(&shutdown.draining));
    let resume = Arc::new(Mutex::new(None));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (service, draining, resume) = (Arc::clone(&service), Arc::clone(&draining), Arc::clone(&resume));
        async move {
            let paused = resume.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(until) = paused {
                sleep_until(until).await;
            }
            let addresses = (LocalAddr(local.into()), RemoteAddr(peer.into()));
            let mut response = service.get_response((request, addresses.0, addresses.1, Scheme::HTTP).into()).await;
            if let Some(Pause(pause)) = response.extensions().get() {
                *resume.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + *pause);
            }
            if draining.load(Ordering::Relaxed) {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<hyper::Response<poem_body::Body>, Infallible>(response.into())
        }
    });
    Ok(http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Refusing::new(stream)), service))
}

/// The body type of poem's responses, which poem does not name in public.
mod poem_body {
    use bytes::Bytes;
    use http_body_util::combinators::BoxBody;

    pub(super) type Body = BoxBody<Bytes, std::io::Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_wait_is_made_to_and_nobody_else() {
        const PAUSE: Duration = Duration::from_millis(300);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let full = poem::endpoint::make_sync(|_| {
            let mut response = Response::builder().body("full");
            response.extensions_mut().insert(Pause(PAUSE));
            response
        });
        let time = Duration::from_secs(5);
        let limits = Limits { max_connections: 10, header_timeout: time, shutdown_timeout: time };
        let shutdown = Shutdown::default();
        let serving = tokio::spawn(serve(listener, full, limits, shutdown.clone()));
        let ask = async |client: &reqwest::Client| {
            let asked = Instant::now();
            assert_eq!(client.get(&url).send().await.unwrap().text().await.unwrap(), "full");
            asked.elapsed()
        };
        // A client keeps to its connection.
        let (eager, other) = (reqwest::Client::new(), reqwest::Client::new());
        let first = ask(&eager).await;
        let (second, others) = tokio::join!(ask(&eager), ask(&other));
        assert!(first < PAUSE, "the answer itself comes at once, not after {first:?}");
        assert!(second >= PAUSE / 2, "{second:?}");
        assert!(others < second, "{others:?}");
        sleep(2 * PAUSE).await;
        assert!(ask(&eager).await < PAUSE, "who has waited does not wait again");
        shutdown.stop.cancel();
        serving.await.unwrap();
    }
}
