//! Swagger UI and the document as files: rendered and compressed once at start.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::web::Redirect;
use poem::{Endpoint, IntoResponse as _, Request, Response, Route, get};

use super::problem::Problem;
use super::{document, etag, security};

/// Adds `/docs`, `/openapi.json` and the way from `/` to the documentation.
pub(super) fn add(routes: Route) -> Route {
    let html = document::swagger_ui_html();
    let policy = HeaderValue::try_from(security::page_policy(&html)).ok();
    let page = Asset { policy, ..Asset::new("text/html; charset=utf-8", html) };
    let document = Asset::new("application/json", document::json());
    routes
        .at("/", get(poem::endpoint::make_sync(|_| Redirect::temporary("/docs"))))
        .at("/docs", page.clone())
        .at("/docs/", page)
        .at("/openapi.json", document)
}

#[derive(Clone)]
struct Asset {
    content_type: &'static str,
    tag: String,
    plain: Bytes,
    /// `None` if compressing failed; the plain form serves all the same.
    gzip: Option<Bytes>,
    /// What a page may load; nothing without it.
    policy: Option<HeaderValue>,
}

impl Asset {
    fn new(content_type: &'static str, text: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).ok();
        let tag = etag::of_bytes(text.as_bytes());
        Self { content_type, tag, plain: text.into(), gzip: gzip.map(Into::into), policy: None }
    }
}

impl Endpoint for Asset {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Problem::method_not_allowed("GET, HEAD".to_owned()).into_response());
        }
        let field = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let compressed = self.gzip.as_ref().filter(|_| takes_gzip(field(header::ACCEPT_ENCODING)));
        // Two forms of one thing need two strong tags.
        let tag = match compressed {
            Some(_) => self.tag.replacen('"', "\"gzip-", 1),
            None => self.tag.clone(),
        };
        let unchanged = etag::none_match(field(header::IF_NONE_MATCH), &tag);
        let mut response = Response::builder()
            .header(header::ETAG, tag)
            .header(header::VARY, "Accept-Encoding")
            .header(header::CACHE_CONTROL, "no-cache");
        if let Some(policy) = &self.policy {
            response = response.header(header::CONTENT_SECURITY_POLICY, policy);
        }
        if unchanged {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        if compressed.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let body = compressed.unwrap_or(&self.plain).clone();
        Ok(response.content_type(self.content_type).body(if request.method() == Method::HEAD {
            Bytes::new()
        } else {
            body
        }))
    }
}

/// Whether `Accept-Encoding: field` takes gzip: named, and not with weight zero (RFC 9110, 12.5.3).
fn takes_gzip(field: Option<&str>) -> bool {
    let refused = |parameters: &str| {
        let weight = parameters.trim().strip_prefix("q=").map(|weight| weight.trim_end_matches('0'));
        matches!(weight, Some("" | "0" | "0."))
    };
    field.unwrap_or_default().split(',').any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !refused(parameters)
    })
}

#[cfg(test)]
mod tests {
    use super::takes_gzip;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for yes in ["gzip", "deflate, GZIP", "gzip;q=0.5", "br, gzip; q=1.0"] {
            assert!(takes_gzip(Some(yes)), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"] {
            assert!(!takes_gzip(Some(no)), "{no}");
        }
        assert!(!takes_gzip(None));
    }
}
