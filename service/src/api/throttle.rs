//! Rate limits on requests: who asks more than its quota is told when to come back.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use poem::http::{HeaderMap, HeaderName, HeaderValue, header};
use poem::{IntoResponse as _, Request, Response};

use super::intercept::Interceptor;
use super::problem::{Kind, Problem};
use crate::limits::{Authenticated, Class, Clients, Limiter, Policy, Verdict};

/// The fields of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Lets only requests within their client's quota pass.
pub(super) struct Throttle {
    limiter: Arc<Limiter>,
    clients: Clients,
    /// `RateLimit-Policy` of each class.
    policies: [Option<HeaderValue>; Class::ALL.len()],
    /// Whether the log was told of a proxy that is not listed.
    warned: AtomicBool,
}

impl Throttle {
    pub(super) fn new(limiter: Arc<Limiter>, clients: Clients) -> Self {
        let policies = Class::ALL.map(|class| limiter.policy(class).and_then(|policy| policy_field(class, policy)));
        Self { limiter, clients, policies, warned: AtomicBool::new(false) }
    }

    /// What is decided of `request`; `None` where nothing is limited.
    async fn check(&self, class: Class, request: &Request) -> Option<Verdict> {
        let client =
            self.clients.identify(peer(request), request.headers(), request.extensions().get::<Authenticated>())?;
        self.limiter.check(class, &client, Instant::now()).await
    }

    /// Behind a proxy that is not listed all clients share one quota, which nobody wants and few notice in time.
    fn hint(&self, request: &Request) {
        let peer = peer(request);
        if self.clients.may_be_a_proxy(peer, request.headers()) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{peer} used up its quota and says that it speaks for others; if it is a proxy of yours, list it in \
                 limits.trusted_proxies, so that its clients are told apart"
            );
        }
    }
}

impl Interceptor for Throttle {
    /// What was decided, where anything is limited.
    type Seen = Option<(Class, Verdict)>;

    async fn before(&self, request: &mut Request) -> (Self::Seen, Option<Response>) {
        let uri = request.uri();
        let class = Class::of(request.method().as_str(), uri.path(), uri.query().unwrap_or_default());
        let Some(verdict) = self.check(class, request).await else { return (None, None) };
        let refusal = (!verdict.admitted).then(|| {
            self.hint(request);
            refusal(class, verdict)
        });
        (Some((class, verdict)), refusal)
    }

    fn after(&self, seen: Self::Seen, response: &mut Response) {
        if let Some((class, verdict)) = seen {
            tell(response.headers_mut(), class, self.policies[class as usize].as_ref(), verdict);
        }
    }
}

/// Whom the connection is with.
fn peer(request: &Request) -> IpAddr {
    request.remote_addr().as_socket_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())
}

fn refusal(class: Class, verdict: Verdict) -> Response {
    let seconds = whole_seconds(verdict.more_in);
    let detail =
        format!("You have used up your quota of the class {}; try again in {seconds} s (Retry-After).", class.name());
    let mut response = Problem::new(Kind::QuotaExceeded, detail).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn tell(headers: &mut HeaderMap, class: Class, policy: Option<&HeaderValue>, verdict: Verdict) {
    let mut field = String::with_capacity(32);
    let (remaining, seconds) = (verdict.remaining, whole_seconds(verdict.more_in));
    // Writing to a string never fails.
    let _ = write!(field, "\"{}\";r={remaining};t={seconds}", class.name());
    if let (Some(policy), Ok(field)) = (policy, HeaderValue::try_from(field)) {
        headers.insert(POLICY, policy.clone());
        headers.insert(LIMIT, field);
    }
}

fn policy_field(class: Class, policy: Policy) -> Option<HeaderValue> {
    let field = format!("\"{}\";q={};w={}", class.name(), policy.quota(), policy.window().as_secs());
    HeaderValue::try_from(field).ok()
}

/// Rounded up: who comes back then is not early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the verification of access tokens has to do with it: one value in the request's extensions.
    #[tokio::test]
    async fn an_authenticated_client_has_a_quota_of_its_own() {
        let policies = Class::ALL.map(|_| Some(Policy::new(1, Duration::from_secs(3_600))));
        let field = crate::limits::ForwardingField::XForwardedFor;
        let clients = Clients { trusted_proxies: Default::default(), field, exempt: Default::default() };
        let throttle = Throttle::new(Arc::new(Limiter::new(policies, None)), clients);
        let status = async |client: Option<&str>| {
            let mut request = Request::default();
            if let Some(client) = client {
                request.extensions_mut().insert(Authenticated(client.into()));
            }
            throttle.before(&mut request).await.1.map_or(200, |refusal| refusal.status().as_u16())
        };
        for (client, expected) in
            [(None, 200), (None, 429), (Some("shop"), 200), (Some("shop"), 429), (Some("farm"), 200)]
        {
            assert_eq!(status(client).await, expected, "{client:?}");
        }
    }

    #[test]
    fn fields_are_written_as_the_draft_says() {
        let policy = policy_field(Class::Search, Policy::new(100, Duration::from_secs(60))).unwrap();
        assert_eq!(policy, "\"search\";q=100;w=60");
        let mut headers = HeaderMap::new();
        let verdict = Verdict { admitted: true, remaining: 50, more_in: Duration::from_millis(1_001) };
        tell(&mut headers, Class::Search, Some(&policy), verdict);
        assert_eq!(headers[LIMIT], "\"search\";r=50;t=2");
    }
}
