//! Connections to addresses that the guard has checked, and to no others.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::guard::{Guard, NoAddress};

/// Makes TCP connections to the hosts of URLs.
#[derive(Clone)]
pub(super) struct GuardedConnector(pub(super) Guard);

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = NoAddress;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoAddress>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guard = self.0.clone();
        Box::pin(async move { connect(&guard, &uri).await.map(TokioIo::new) })
    }
}

async fn connect(guard: &Guard, uri: &Uri) -> Result<TcpStream, NoAddress> {
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in guard.addresses(uri.host().unwrap_or_default(), port).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last.into())
}
