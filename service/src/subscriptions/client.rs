//! Sends one event to one receiver, and says how it took it.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use farmlokal_catalog::Timestamp;
use farmlokal_catalog::subscription::{Due, Subscription};
use http::{HeaderMap, Request, header};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::connector::GuardedConnector;
use super::guard::{Guard, NoAddress, Refused};
use crate::outbound::{tls, trace};
use crate::webhooks::SigningSecret;

/// Connections that nobody uses are closed after this time.
const IDLE: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("FarmLokal/", env!("CARGO_PKG_VERSION"));

/// How a receiver took an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// With this status, wishing to be left alone for a while, or not.
    Answered {
        /// The status.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// It did not answer in time.
    Silent,
    /// There was no connection, or it broke.
    Unreachable,
    /// Its certificate is not one that the system trusts.
    Untrusted,
    /// We do not go there.
    Refused(Refused),
    /// We have no secret to sign with: somebody else has written to the table.
    Unsigned,
}

impl Reply {
    /// The status of an answer.
    fn status(&self) -> Option<u16> {
        if let Self::Answered { status, .. } = self { Some(*status) } else { None }
    }
}

/// Sends events; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
    guard: Guard,
    patience: Duration,
}

impl Client {
    /// A client that trusts whom the system trusts, goes where `guard` lets it, follows no redirects, and waits for an
    /// answer as long as `patience` lasts.
    pub fn new(guard: Guard, patience: Duration) -> Self {
        let tcp = GuardedConnector(guard.clone());
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(4)
            .build(tls::connector(tcp));
        Self { http, guard, patience }
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Sends `due` to `subscription`, signed `now`.
    pub async fn send(&self, subscription: &Subscription, due: &Due, now: Timestamp) -> Reply {
        let url = subscription.url.url();
        if let Err(refused) = self.guard.check(url) {
            return Reply::Refused(refused);
        }
        let Ok(secret) = subscription.secret.expose().parse::<SigningSecret>() else { return Reply::Unsigned };
        let seconds = now.to_utc().timestamp();
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header("webhook-id", due.event.as_str())
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", secret.sign(due.event.as_str(), seconds, &due.payload))
            .body(Full::new(Bytes::from(due.payload.clone())));
        let Ok(request) = request else { return Reply::Unreachable };
        let exchange = async |request| match self.http.request(request).await {
            // The status says it all; nobody here wants the body.
            Ok(response) => Reply::Answered {
                status: response.status().as_u16(),
                retry_after: retry_after(response.headers(), now),
            },
            Err(error) if tls::is_distrust(&error) => Reply::Untrusted,
            Err(error) => refusal(&error).map_or(Reply::Unreachable, Reply::Refused),
        };
        let call = trace::call(request, exchange, Reply::status);
        timeout(self.patience, call).await.unwrap_or(Reply::Silent)
    }
}

/// The guard's refusal, if that is what is behind `error`.
fn refusal(error: &(dyn Error + 'static)) -> Option<Refused> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(NoAddress::Refused(refused)) = error.downcast_ref() {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

/// How long the receiver wants to be left alone: in seconds, or until a time.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    (chrono::DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now.to_utc()).to_std().ok()
}

#[cfg(test)]
mod tests;
