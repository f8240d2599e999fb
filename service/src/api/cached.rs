//! Answers that come through the cache, and what their header fields say of it.

use std::fmt::{self, Write as _};
use std::marker::PhantomData;
use std::time::Duration;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{IntoResponse, Request, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::answer::Rendered;
use super::intercept::Interceptor;
use super::problem::{Kind, Problem};
use super::{Context, etag};
use crate::cache::{Answer, Asked, Origin, Served};

/// RFC 9211.
pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Fields of a usual answer, those that are added on its way out included.
const FIELDS: usize = 20;

/// What those between us and the client may do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Keep it for a moment, and give it for a moment longer while they ask again (RFC 5861).
    List,
    /// Keep it, and ask each time whether it still holds.
    Item,
}

/// How long others may keep answers of [`Policy::List`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCaching {
    /// `max-age`, counted from now.
    pub max_age: Duration,
    /// `stale-while-revalidate`.
    pub stale: Duration,
}

/// A `T` from the cache, or the news that the client has it.
pub struct Cached<T> {
    served: Served,
    control: HeaderValue,
    unchanged: bool,
    of: PhantomData<fn() -> T>,
}

impl Context {
    /// The answer to `asked`, which what `load` gives computes if it is not there.
    ///
    /// # Errors
    ///
    /// What `load` failed with; [`Kind::NotFound`] for [`Answer::Absent`].
    pub(super) async fn answer<T, F>(
        &self,
        asked: Asked,
        policy: Policy,
        if_none_match: Option<&str>,
        load: impl FnOnce() -> F,
    ) -> Result<Cached<T>, Problem>
    where
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let served = self.cache.fetch(asked, load).await?;
        let Answer::Found { etag, .. } = &served.entry.answer else {
            return Err(farmlokal_catalog::store::StoreError::NotFound.into());
        };
        let unchanged = if_none_match.is_some() && etag::none_match(if_none_match, etag.to_str().unwrap_or_default());
        let control = control(policy, self.client_caching, &served);
        Ok(Cached { served, control, unchanged, of: PhantomData })
    }
}

/// `value` as an answer to keep: finished bytes, tagged by `tag` or by their hash.
pub(super) fn found<T: Serialize>(value: &T, tag: Option<String>, link: Option<String>) -> Result<Answer, Problem> {
    let body = Rendered::new(value)?.into_bytes();
    let tag = tag.unwrap_or_else(|| etag::of_bytes(&body));
    // Tags are hexadecimal and links percent-encoded, so both are always header values.
    let field = |text: String| {
        HeaderValue::try_from(text).map_err(|_| Problem::new(Kind::Internal, "The answer could not be written."))
    };
    Ok(Answer::Found { body, etag: field(tag)?, link: link.map(field).transpose()? })
}

fn control(policy: Policy, client: ClientCaching, served: &Served) -> HeaderValue {
    match policy {
        Policy::Item => HeaderValue::from_static("public, no-cache"),
        Policy::List => {
            // `Age` counts against `max-age`, but an answer of any age was true a moment ago: only the time
            // from now on is given away.
            let max_age = served.age.as_secs() + client.max_age.as_secs();
            field(format_args!("public, max-age={max_age}, stale-while-revalidate={}", client.stale.as_secs()))
        }
    }
}

/// The field of RFC 9211 for an answer from the cache.
fn status(served: &Served) -> HeaderValue {
    let ttl = || served.entry.fresh.as_secs() as i64 - served.age.as_secs() as i64;
    match served.origin {
        Origin::Local | Origin::Shared => {
            field(format_args!("FarmLokal; hit; ttl={}; detail={}", ttl(), served.origin.name()))
        }
        Origin::Stale => field(format_args!("FarmLokal; hit; ttl={}; detail=stale-if-error", ttl())),
        Origin::Computed if served.collapsed => HeaderValue::from_static("FarmLokal; fwd=uri-miss; stored; collapsed"),
        Origin::Computed => HeaderValue::from_static("FarmLokal; fwd=uri-miss; stored"),
        Origin::Bypass => HeaderValue::from_static("FarmLokal; fwd=bypass"),
    }
}

/// A value of ASCII, written in one piece.
fn field(value: fmt::Arguments<'_>) -> HeaderValue {
    let mut text = String::with_capacity(64);
    // Writing to a String cannot fail, and neither can a value of printable ASCII.
    let _ = text.write_fmt(value);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

impl<T> IntoResponse for Cached<T> {
    fn into_response(self) -> Response {
        let Answer::Found { body, etag, link } = &self.served.entry.answer else {
            return Problem::no_such_path().into_response();
        };
        let mut response = Response::default();
        let fields = response.headers_mut();
        // At once: the table of fields would be rebuilt twice on the way.
        fields.reserve(FIELDS);
        fields.insert(header::CACHE_CONTROL, self.control);
        fields.insert(CACHE_STATUS, status(&self.served));
        fields.insert(header::AGE, self.served.age.as_secs().into());
        fields.insert(header::ETAG, etag.clone());
        if self.unchanged {
            response.set_status(StatusCode::NOT_MODIFIED);
            return response;
        }
        if let Some(link) = link {
            fields.insert(header::LINK, link.clone());
        }
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.set_body(body.clone());
        response
    }
}

impl<T: Type + 'static> ApiResponse for Cached<T> {
    fn meta() -> MetaResponses {
        let field = |name: &str, required, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let always = || {
            vec![
                field("ETag", true, "The entity tag, for `If-None-Match`."),
                field("Cache-Control", true, "What others may do with the answer (RFC 9111, RFC 5861)."),
                field("Cache-Status", true, "Where the answer came from (RFC 9211)."),
                field("Age", true, "Seconds since the answer was computed."),
            ]
        };
        let mut found = always();
        found.push(field("Link", false, "Where the next page is, if there is one: `<…>; rel=\"next\"` (RFC 8288)."));
        let content = MetaMediaType { content_type: "application/json", schema: T::schema_ref() };
        let response = |status, description, content, headers| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers,
        };
        MetaResponses {
            responses: vec![
                response(200, "What was asked for.", vec![content], found),
                response(304, "What the client has still holds.", vec![], always()),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// Says of an answer that did not come through the cache that nobody is to keep it.
pub(super) struct Uncached;

impl Interceptor for Uncached {
    /// Whether the method is safe: others are never answered from a cache.
    type Seen = bool;

    async fn before(&self, request: &mut Request) -> (bool, Option<Response>) {
        (request.method().is_safe(), None)
    }

    fn after(&self, method_is_safe: bool, response: &mut Response) {
        let fields = response.headers_mut();
        if !fields.contains_key(header::CACHE_CONTROL) {
            fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if !fields.contains_key(CACHE_STATUS) {
            let why = if method_is_safe { "FarmLokal; fwd=bypass" } else { "FarmLokal; fwd=method" };
            fields.insert(CACHE_STATUS, HeaderValue::from_static(why));
        }
    }
}
