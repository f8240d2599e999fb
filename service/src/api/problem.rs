//! Errors as clients see them: RFC 9457 problem documents, made in one place. How each layer's errors become
//! problems is in `convert`.

mod convert;

use std::fmt;

use poem::http::{HeaderName, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::Object;
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use serde::Serialize;

use super::values;

mod subscriptions;
mod webhooks;

/// The media type of RFC 9457.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Declares the kinds of problem: a stable code, the status, and a title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $status:literal $code:literal $title:literal;)*) => {
        /// What went wrong, as far as a program has to tell one from another.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            fn parts(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$kind => ($status, concat!("urn:farmlokal:problem:", $code), $title),)* }
            }
        }
    };
}

kinds! {
    /// A query parameter, header or path segment is wrong.
    InvalidParameter = 400 "invalid-parameter" "A parameter is wrong";
    /// The request's body is wrong.
    InvalidBody = 400 "invalid-body" "The request body is wrong";
    /// The cursor cannot be followed.
    InvalidCursor = 400 "invalid-cursor" "The cursor cannot be followed";
    /// The request is not HTTP as we speak it.
    MalformedRequest = 400 "malformed-request" "The request cannot be read";
    /// Nothing proves that an event was sent by who it says, and now.
    Unverified = 401 "unverified" "The event is not believed";
    /// The operation needs an access token, and there is none.
    TokenMissing = 401 "token-missing" "An access token is needed";
    /// The access token is not good.
    InvalidToken = 401 "invalid-token" "The access token is not good";
    /// The client is not who it says it is.
    InvalidClient = 401 "invalid-client" "The client is not known";
    /// The access token is good, but not for this.
    InsufficientScope = 403 "insufficient-scope" "The access token does not allow this";
    /// A page of another origin asks, and may not.
    OriginNotAllowed = 403 "origin-not-allowed" "Pages of this origin may not use the API";
    /// There is no such product.
    NotFound = 404 "not-found" "There is no such product";
    /// Nobody is configured under this name.
    NoSuchSource = 404 "no-such-source" "There is no such source of events";
    /// There is no such event.
    NoSuchEvent = 404 "no-such-event" "There is no such event";
    /// There is no such subscription.
    NoSuchSubscription = 404 "no-such-subscription" "There is no such subscription";
    /// There is nothing at this path.
    NoSuchPath = 404 "no-such-path" "There is nothing at this path";
    /// The path takes other methods.
    MethodNotAllowed = 405 "method-not-allowed" "This path does not take that method";
    /// The request's body did not arrive in time.
    RequestTimeout = 408 "request-timeout" "The request took too long to arrive";
    /// The id belongs to another event.
    EventIdReused = 409 "event-id-reused" "The id belongs to another event";
    /// Another try of the request is under way.
    UnderWay = 409 "request-under-way" "The request is under way";
    /// The event is done.
    NotReplayable = 409 "not-replayable" "The event is done";
    /// The cursor goes through a search index that is gone.
    CursorExpired = 410 "cursor-expired" "The cursor has expired";
    /// The version the client expects is gone.
    PreconditionFailed = 412 "precondition-failed" "The product has changed";
    /// The request's body is too large.
    BodyTooLarge = 413 "body-too-large" "The request body is too large";
    /// The URL is too long.
    UrlTooLong = 414 "url-too-long" "The URL is too long";
    /// The request's body is of another media type.
    UnsupportedMediaType = 415 "unsupported-media-type" "The body must be JSON";
    /// The client has asked more than its quota.
    QuotaExceeded = 429 "quota-exceeded" "Too many requests";
    /// The idempotency key stands for another request.
    KeyReused = 422 "idempotency-key-reused" "The idempotency key stands for another request";
    /// URL and header fields together are too long.
    HeadTooLarge = 431 "head-too-large" "The URL or the header fields are too long";
    /// A bug of ours.
    Internal = 500 "internal" "Something went wrong on our side";
    /// Too much work at once.
    Busy = 503 "busy" "The service is busy";
    /// The listing would read too much.
    TooBroad = 503 "too-broad" "The listing would read too much";
    /// Only the search index can answer, and it is not ready.
    IndexBuilding = 503 "index-building" "The search index is being built";
    /// The database is away.
    Unavailable = 503 "unavailable" "The catalogue is not available";
}

/// A problem, on its way to the client. `Display` gives what the client sees and nothing more.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    field: Option<String>,
    /// A field of the answer's head that belongs to the kind: `Allow`, `WWW-Authenticate`.
    header: Option<(HeaderName, String)>,
}

/// The document of RFC 9457.
#[derive(Serialize, Object)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// The kind of problem, stable: programs decide by this.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: String,
    /// The kind in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong with this request, and what would be right.
    detail: String,
    /// The parameter, header or body field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    field: Option<String>,
}

impl Problem {
    /// A problem of `kind`; `detail` is a sentence for the client.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, header: None }
    }

    /// The same with the name of the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same with a field for the answer's head.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// A method that the path does not take; `allow` lists those it does.
    pub fn method_not_allowed(allow: String) -> Self {
        let problem = Self::new(Kind::MethodNotAllowed, format!("This path takes {allow}."));
        problem.header(header::ALLOW, allow)
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.parts().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The document as JSON.
    pub fn to_json(&self) -> String {
        let (status, kind, title) = self.kind.parts();
        let document = ProblemDocument {
            kind: kind.to_owned(),
            title: title.to_owned(),
            status,
            detail: self.detail.clone(),
            field: self.field.clone(),
        };
        // Strings and a number always serialise.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// What the framework refused, in our form.
    pub fn from_framework(error: &poem::Error) -> Self {
        if let Some(problem) = error.downcast_ref::<Self>() {
            return problem.clone();
        }
        if let Some(error) = error.downcast_ref::<ParseParamError>() {
            return Self::from_reason(Kind::InvalidParameter, Some(error.name), &error.reason);
        }
        if let Some(error) = error.downcast_ref::<ParsePathError>() {
            return Self::from_reason(Kind::InvalidParameter, None, &error.reason);
        }
        if let Some(error) = error.downcast_ref::<ParseRequestPayloadError>() {
            return Self::from_reason(Kind::InvalidBody, None, &error.reason);
        }
        if error.is::<ContentTypeError>() {
            return Self::new(Kind::UnsupportedMediaType, "Send the body with Content-Type: application/json.")
                .field("Content-Type");
        }
        match error.status() {
            StatusCode::NOT_FOUND => Self::no_such_path(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(Kind::BodyTooLarge, "The body is too large."),
            status if status.is_client_error() => Self::new(Kind::MalformedRequest, error.to_string()),
            _ => Self::internal(error),
        }
    }

    /// Nothing at this path.
    pub fn no_such_path() -> Self {
        Self::new(Kind::NoSuchPath, "There is nothing at this path; /docs lists what there is.")
    }

    /// A bug: the cause goes to the log, the client learns only that it was us.
    fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!("internal error: {cause}");
        Self::new(Kind::Internal, "Something went wrong on our side; the log has the cause.")
    }

    /// The framework hands its errors on as text; what our own types wrote in there is found again.
    /// `name` is the parameter's, when the framework knows it.
    fn from_reason(kind: Kind, name: Option<&str>, reason: &str) -> Self {
        if let Some((field, remedy)) = values::unmark(reason) {
            let field = name.unwrap_or(field);
            return Self::new(kind, format!("{field} {remedy}.")).field(field);
        }
        // `failed to parse "boolean": WHY (occurred while parsing "optional_boolean")`
        let why = reason.split(" (occurred while").next().unwrap_or(reason);
        let why = why.strip_prefix("failed to parse").and_then(|why| why.split_once(": ")).map_or(why, |(_, why)| why);
        let why = why.trim_end_matches('.');
        if let Some(field) = why.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`')) {
            let field: String = field.chars().take(64).collect();
            return Self::new(kind, format!("{field} is not a field of this body; /docs lists those it has."))
                .field(field);
        }
        match name {
            Some(name) => Self::new(kind, format!("{name}: {why}.")).field(name),
            None => Self::new(kind, format!("{why}.")),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl poem::error::ResponseError for Problem {
    fn status(&self) -> StatusCode {
        Self::status(self)
    }

    fn as_response(&self) -> Response {
        self.clone().into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::builder()
            .status(self.status())
            .content_type(CONTENT_TYPE)
            .header(header::CACHE_CONTROL, "no-store");
        if self.status() == StatusCode::SERVICE_UNAVAILABLE || self.kind == Kind::UnderWay {
            response = response.header(header::RETRY_AFTER, "1");
        }
        if self.kind == Kind::Unverified {
            // RFC 9110 wants a challenge with every 401; this one names the scheme of Standard Webhooks.
            response = response.header(header::WWW_AUTHENTICATE, "StandardWebhooks");
        }
        if let Some((name, value)) = &self.header {
            response = response.header(name, value);
        }
        response.body(self.to_json())
    }
}

/// An older answer is better than these.
impl crate::cache::Failure for Problem {
    fn is_outage(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::Busy)
    }

    fn broken() -> Self {
        Self::internal(&"the computation of an answer broke off")
    }
}
