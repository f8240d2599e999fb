//! Asking a supplier for a token: the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4).

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use farmlokal_catalog::Timestamp;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::Token;
use crate::config::Secret;
use crate::outbound::{Failure, HttpClient};

/// How long a token lives that does not say so.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3_600);
/// A year: whoever says more cannot mean it.
const MAX_LIFETIME: f64 = 31_536_000.0;
/// No token is that long.
const MAX_BYTES: usize = 64 * 1024;

/// How to ask one supplier.
pub(in crate::suppliers) struct Fetch {
    http: HttpClient,
    url: Uri,
    /// The `Authorization` field.
    basic: Secret,
    form: String,
    within: Duration,
}

/// What a supplier answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: Option<f64>,
}

impl Fetch {
    /// For the token endpoint `url`, which knows us by `id` and `secret`; each fetch ends `within`.
    pub(in crate::suppliers) fn new(
        http: HttpClient,
        url: Uri,
        (id, secret): (&str, &Secret),
        scope: &str,
        within: Duration,
    ) -> Self {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scope.is_empty() {
            form.append_pair("scope", scope);
        }
        Self { http, url, basic: basic(id, secret), form: form.finish(), within }
    }

    /// A new token, asked for `now`. One try: whoever needs it tries again.
    pub(super) async fn run(&self, now: Timestamp) -> Result<Token, Failure> {
        let request = Request::post(self.url.clone())
            .header(header::AUTHORIZATION, self.basic.expose())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(self.form.clone())))
            .map_err(|_| Failure::Garbled("the request cannot be written"))?;
        let answer = tokio::time::timeout(self.within, self.http.send(request, MAX_BYTES));
        let answer = answer.await.map_err(|_| Failure::Timeout)??;
        if answer.status != StatusCode::OK {
            return Err(Failure::of_status(answer.status, answer.retry_after()));
        }
        read(&answer.body, now)
    }
}

/// The token in an answer.
fn read(body: &[u8], now: Timestamp) -> Result<Token, Failure> {
    let granted: Granted = serde_json::from_slice(body).map_err(|_| Failure::Garbled("no access token in it"))?;
    if !granted.token_type.eq_ignore_ascii_case("bearer") {
        return Err(Failure::Garbled("its token is not a bearer token"));
    }
    let written = |byte: u8| byte.is_ascii_graphic();
    if granted.access_token.is_empty() || !granted.access_token.bytes().all(written) {
        return Err(Failure::Garbled("its token cannot be sent"));
    }
    let lifetime = match granted.expires_in {
        Some(seconds) => Duration::from_secs_f64(seconds.clamp(0.0, MAX_LIFETIME)),
        None => DEFAULT_LIFETIME,
    };
    Ok(Token::new(granted.access_token, now, lifetime))
}

/// Both parts are form-encoded first (RFC 6749, section 2.3.1), so that a colon in the id does not end it.
fn basic(id: &str, secret: &Secret) -> Secret {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(id), encoded(secret.expose()));
    Secret::new(format!("Basic {}", BASE64_STANDARD.encode(credentials)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    #[test]
    fn credentials_are_encoded_before_they_are_joined() {
        // "a:b" and "c d/" as application/x-www-form-urlencoded.
        let expected = BASE64_STANDARD.encode("a%3Ab:c+d%2F");
        assert_eq!(basic("a:b", &Secret::new("c d/".to_owned())).expose(), format!("Basic {expected}"));
    }

    #[test]
    fn tokens_live_as_long_as_they_say() {
        for (rest, expected) in [
            (r#", "expires_in": 60"#, 60),
            (r#", "expires_in": 60.0"#, 60),
            ("", 3_600),
            (r#", "expires_in": null"#, 3_600),
            (r#", "expires_in": -5"#, 0),
            (r#", "expires_in": 1e300"#, 31_536_000),
        ] {
            let body = format!(r#"{{"access_token": "t-1", "token_type": "bearer"{rest}}}"#);
            let token = read(body.as_bytes(), at(100)).unwrap();
            assert_eq!((token.expose(), token.expires_at), ("t-1", at(100 + expected)), "{rest}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"access_token": "t"}"#,
            r#"{"access_token": "t", "token_type": "mac"}"#,
            r#"{"access_token": "", "token_type": "Bearer"}"#,
            r#"{"access_token": "a\nb", "token_type": "Bearer"}"#,
            r#"{"access_token": "t", "token_type": "Bearer", "expires_in": "soon"}"#,
        ] {
            assert!(matches!(read(body.as_bytes(), at(0)), Err(Failure::Garbled(_))), "{body}");
        }
    }
}
