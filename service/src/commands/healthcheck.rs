//! `farmlokal healthcheck`: asks the admin port of a running service, for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{CommandError, Outcome};
use crate::config::Config;

const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn run(config: Config) -> Result<Outcome, CommandError> {
    let address = reachable(config.admin_listen);
    let not_ready = |why: String| CommandError::NotReady(format!("http://{address}/readyz: {why}"));
    match tokio::time::timeout(PATIENCE, ask(address)).await {
        Ok(Ok(answer)) if answer.starts_with("HTTP/1.1 200 ") => Ok(Outcome::Done),
        Ok(Ok(answer)) => Err(not_ready(answer.lines().last().unwrap_or("no answer").to_owned())),
        Ok(Err(error)) => Err(not_ready(error.to_string())),
        Err(_) => Err(not_ready(format!("no answer within {PATIENCE:?}"))),
    }
}

/// One question needs no client library.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
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
