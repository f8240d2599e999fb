//! The HTTP client: pooled connections, TLS by rustls, no redirects, no proxies, answers of bounded size.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Failure, tls, trace};

/// Connections that nobody uses are closed after this time: before most servers and proxies do it.
const IDLE: Duration = Duration::from_secs(30);
/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A client for all other sides; cheap to clone.
#[derive(Clone)]
pub struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// An answer with its whole body.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl HttpClient {
    /// A client that trusts whom the system trusts.
    #[must_use]
    pub fn open() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(8)
            .build(tls::connector(tcp));
        Self(client)
    }

    /// What `request` is answered. Reads at most `limit` bytes of the body.
    pub async fn send(&self, request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, Failure> {
        let status = |outcome: &Result<Answer, Failure>| Some(outcome.as_ref().ok()?.status.as_u16());
        trace::call(request, |request| self.exchange(request, limit), status).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, limit: usize) -> Result<Answer, Failure> {
        let response = self.0.request(request).await.map_err(|error| {
            // The cause names addresses, never header fields or bodies.
            tracing::debug!("a call failed: {error}: {:?}", error.source());
            if tls::is_distrust(&error) { Failure::Untrusted } else { Failure::Unreachable }
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            let too_large = error.is::<LengthLimitError>();
            if too_large { Failure::TooLarge(limit) } else { Failure::Unreachable }
        })?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}

impl Answer {
    /// How long the server wants to be left alone (`Retry-After`, in seconds or as a date by its own clock).
    pub fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.headers.get(name)?.to_str().ok();
        let after: &str = text(header::RETRY_AFTER)?;
        if let Ok(seconds) = after.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = |text| chrono::DateTime::parse_from_rfc2822(text).ok();
        (date(after)? - date(text(header::DATE)?)?).to_std().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = "Tue, 29 Oct 2030 16:56:32 GMT";
        for (after, expected) in [
            ("7", Some(7)),
            ("Tue, 29 Oct 2030 16:56:42 GMT", Some(10)),
            ("Tue, 29 Oct 2030 16:56:22 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            let headers = [(header::RETRY_AFTER, after), (header::DATE, date)];
            let headers = headers.map(|(name, value)| (name, value.parse().unwrap())).into_iter().collect();
            let answer = Answer { status: StatusCode::OK, headers, body: Bytes::new() };
            assert_eq!(answer.retry_after(), expected.map(Duration::from_secs), "{after}");
        }
    }
}
