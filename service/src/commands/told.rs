//! Metrics on the admin port while a seeding is under way, when no service listens there: how far it is can be asked.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use farmlokal_telemetry::metrics::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long somebody may take to ask.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is read of a question; all have the same answer.
const MOST: usize = 4096;

/// Does `work` while whoever asks at `listen` is told `metrics`. When the port is taken, it is done all the same.
pub(super) async fn while_told<T>(listen: SocketAddr, metrics: &Metrics, work: impl Future<Output = T>) -> T {
    tokio::select! {
        done = work => done,
        never = tell(listen, metrics) => match never {},
    }
}

async fn tell(listen: SocketAddr, metrics: &Metrics) -> Infallible {
    let listener = match TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::debug!(%listen, %error, "how far it is cannot be asked");
            return std::future::pending().await;
        }
    };
    loop {
        // Whoever hangs up, or never asks, is not told; nobody else is kept waiting for long.
        if let Ok((stream, _)) = listener.accept().await {
            let _ = tokio::time::timeout(PATIENCE, answer(stream, metrics)).await;
        }
    }
}

async fn answer(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n\r\n") && question.len() < MOST {
        if stream.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    // Nobody is served yet: probes are to wait.
    let (status, text) = match question.starts_with(b"GET /metrics ") {
        true => ("200 OK", metrics.text().unwrap_or_default()),
        false => ("503 Service Unavailable", String::new()),
    };
    let (kind, length) = (Metrics::CONTENT_TYPE, text.len());
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}
