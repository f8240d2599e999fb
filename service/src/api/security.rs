//! Fields that tell browsers what not to do with our answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Request, Response};
use sha2::{Digest as _, Sha256};

use super::intercept::Interceptor;

/// On every answer: no guessing of types, no telling others where the reader was, no framing. And nothing that is
/// answered is a page, unless it says for itself what it may load.
const ALWAYS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds these fields to answers.
pub(super) struct SecurityFields {
    transport: Option<HeaderValue>,
}

impl SecurityFields {
    /// With `Strict-Transport-Security` for `hsts_max_age`, unless that is zero.
    pub(super) fn new(hsts_max_age: Duration) -> Self {
        let field = format!("max-age={}", hsts_max_age.as_secs());
        let transport = if hsts_max_age.is_zero() { None } else { HeaderValue::try_from(field).ok() };
        Self { transport }
    }
}

impl Interceptor for SecurityFields {
    type Seen = ();

    async fn before(&self, _: &mut Request) -> ((), Option<Response>) {
        ((), None)
    }

    fn after(&self, (): (), response: &mut Response) {
        let headers = response.headers_mut();
        for (name, value) in ALWAYS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(transport) = &self.transport {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, transport.clone());
        }
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_PAGE));
    }
}

/// The `Content-Security-Policy` under which `html` works and nothing else does: the scripts in it, by their hashes,
/// and requests to this service. Swagger UI styles elements one by one and draws with `data:` images.
pub(crate) fn page_policy(html: &str) -> String {
    let hashes: String =
        inline_scripts(html).map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script)))).collect();
    format!(
        "default-src 'none'; script-src{hashes}; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The texts of the `<script>` elements. A script's text ends at the first `</script`, whatever it is inside of.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let tag = rest.find("<script")?;
        let start = tag + rest[tag..].find('>')? + 1;
        let length = rest[start..].find("</script")?;
        let script = &rest[start..start + length];
        rest = &rest[start + length..];
        Some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_asked_for_only_where_it_is_configured() {
        let answer = |max_age| {
            let mut answer = Response::default();
            SecurityFields::new(Duration::from_secs(max_age)).after((), &mut answer);
            answer
        };
        assert!(!answer(0).headers().contains_key("strict-transport-security"));
        assert_eq!(answer(300).headers()["strict-transport-security"], "max-age=300");
    }

    #[test]
    fn the_scripts_of_a_page_are_allowed_and_no_others() {
        let html = "<head><script charset=\"x\">one()</script><style>a</style></head><script>two('<script>')</script>";
        assert_eq!(inline_scripts(html).collect::<Vec<_>>(), ["one()", "two('<script>')"]);
        let policy = page_policy("<script>alert('Hello, world.');</script>");
        // The example of MDN and of the specification.
        assert!(policy.contains("script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"), "{policy}");
        assert!(!policy.split("style-src").next().unwrap().contains("unsafe"), "{policy}");
    }
}
