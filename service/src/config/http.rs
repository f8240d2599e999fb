//! `[http]`: the public port.

use std::net::SocketAddr;
use std::time::Duration;

use super::Secret;
use super::reader::Reader;

/// The public port.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Connections at once.
    pub max_connections: usize,
    /// From a request's head to its answer.
    pub request_timeout: Duration,
    /// For a request's head to arrive.
    pub header_timeout: Duration,
    /// Largest body.
    pub max_body_bytes: usize,
    /// From SIGTERM to the listener's end.
    pub drain_delay: Duration,
    /// For requests under way to end.
    pub shutdown_timeout: Duration,
    /// Seals cursors.
    pub cursor_secret: Secret,
    /// How long browsers are to come back by HTTPS only; zero for not saying so.
    pub hsts_max_age: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Option<Http> {
    let listen = reader.listen("http.listen");
    let max_connections = reader.whole("http.max_connections", 1, 1_000_000);
    let request_timeout = reader.millis("http.request_timeout_ms", 1);
    let header_timeout = reader.millis("http.header_timeout_ms", 1);
    let max_body_bytes = reader.whole("http.max_body_bytes", 1, 64 * 1024 * 1024);
    let drain_delay = reader.millis("http.drain_delay_ms", 0);
    let shutdown_timeout = reader.millis("http.shutdown_timeout_ms", 1);
    let cursor_secret = reader.text("http.cursor_secret");
    let hsts_max_age = reader.whole("http.hsts_max_age_s", 0, 63_072_000);
    if cursor_secret.as_deref() == Some("") {
        reader.mistake("http.cursor_secret", "must not be empty");
    }
    Some(Http {
        listen: listen?,
        max_connections: usize::try_from(max_connections?).ok()?,
        request_timeout: request_timeout?,
        header_timeout: header_timeout?,
        max_body_bytes: usize::try_from(max_body_bytes?).ok()?,
        drain_delay: drain_delay?,
        shutdown_timeout: shutdown_timeout?,
        cursor_secret: Secret(cursor_secret?),
        hsts_max_age: Duration::from_secs(hsts_max_age?),
    })
}
