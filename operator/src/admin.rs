//! The operator's own port: `/livez`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use farmlokal_telemetry::metrics::{Metrics, MetricsError};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// What the port tells.
pub struct Admin {
    /// Whether the API server has answered, so that this process can work or stand by.
    pub ready: AtomicBool,
    /// The metrics as text.
    pub metrics: Box<dyn Fn() -> Result<String, MetricsError> + Send + Sync>,
}

/// Serves until dropped.
///
/// # Errors
///
/// When the address cannot be listened on.
pub async fn serve(address: SocketAddr, admin: Arc<Admin>) -> Result<Infallible, std::io::Error> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection to the admin port was not taken");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let admin = Arc::clone(&admin);
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&admin, &request))));
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(std::time::Duration::from_secs(10));
            // Whoever hangs up has what they came for.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(admin: &Admin, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, text) = match request.uri().path() {
        "/livez" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" if admin.ready.load(Ordering::Relaxed) => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "the API server has not answered yet\n".to_owned()),
        "/metrics" => match (admin.metrics)() {
            Ok(text) => (StatusCode::OK, text),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        },
        _ => (StatusCode::NOT_FOUND, "there are /livez, /readyz and /metrics\n".to_owned()),
    };
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let plain = http::HeaderValue::from_static(Metrics::CONTENT_TYPE);
    answer.headers_mut().insert(http::header::CONTENT_TYPE, plain);
    answer
}
