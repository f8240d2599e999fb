//! One question to a port of a running service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::CommandError;

const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked.
pub(super) struct Question<'a> {
    /// Method and path: "GET /readyz".
    pub(super) request: &'a str,
    /// Further lines of the head, each with its end.
    pub(super) head: &'a str,
    /// The body.
    pub(super) body: &'a str,
}

/// The body of the answer of the service whose admin port is configured as `listen`.
pub(super) async fn admin(listen: SocketAddr, request: &str) -> Result<String, CommandError> {
    ask(listen, Question { request, head: "content-length: 0\r\n", body: "" }).await
}

/// The body of the answer of the service that is configured to listen on `listen`; an error if there is
/// none, or one of 300 and more.
pub(super) async fn ask(listen: SocketAddr, question: Question<'_>) -> Result<String, CommandError> {
    let address = reachable(listen);
    let path = question.request.split(' ').next_back().unwrap_or_default();
    let refused = |why: String| CommandError::Refused(format!("http://{address}{path}: {why}"));
    match tokio::time::timeout(PATIENCE, exchange(address, &question)).await {
        Ok(Ok(answer)) => {
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
            if answer.starts_with("HTTP/1.1 2") { Ok(body) } else { Err(refused(body)) }
        }
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(_) => Err(refused(format!("no answer within {PATIENCE:?}"))),
    }
}

/// One question needs no client library.
async fn exchange(address: SocketAddr, question: &Question<'_>) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let Question { request, head, body } = question;
    let request = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{head}\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Where a service that listens on `listen` can be asked: an unspecified address is every own one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
