//! Errors as clients see them: RFC 9457 problem documents, made in one place. How each layer's errors become
//! problems is in `convert`.

mod convert;
mod kind;
mod subscriptions;
mod webhooks;

use std::fmt;
use std::time::Duration;

use farmlokal_catalog::projection::BuildProgress;
use poem::http::{HeaderName, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::Object;
use poem_openapi::error::{ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError};
use serde::Serialize;

use super::values;

pub use kind::Kind;

/// The media type of RFC 9457.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem, on its way to the client. `Display` gives what the client sees and nothing more.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    field: Option<String>,
    /// Boxed, since errors are to be small.
    progress: Option<Box<BuildProgress>>,
    /// A field of the answer's head that belongs to the kind: `Allow`, `WWW-Authenticate`, `Retry-After`.
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
    /// Progress of the build that the request has to wait for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    progress: Option<ProgressBody>,
}

/// Progress of the search index's build.
#[derive(Serialize, Object)]
#[oai(rename = "BuildProgress")]
pub struct ProgressBody {
    /// Products that are in the index.
    built: u64,
    /// Products that are to be in it; left out before they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    wanted: Option<u64>,
}

impl Problem {
    /// A problem of `kind`; `detail` is a sentence for the client.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, progress: None, header: None }
    }

    /// The same with the name of the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same with the progress of what the request has to wait for.
    #[must_use]
    pub fn progress(mut self, progress: BuildProgress) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// The same with a field for the answer's head.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: String) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The same with the time after which it is worth trying again.
    #[must_use]
    pub fn retry_after(self, pause: Duration) -> Self {
        self.header(header::RETRY_AFTER, pause.as_secs().max(1).to_string())
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
            progress: self.progress.as_deref().map(|&BuildProgress { built, wanted }| ProgressBody { built, wanted }),
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
        let soon = self.status() == StatusCode::SERVICE_UNAVAILABLE || self.kind == Kind::UnderWay;
        if soon && self.header.is_none() {
            response = response.header(header::RETRY_AFTER, "1");
        }
        if self.kind == Kind::Unverified {
            // RFC 9110 wants a challenge with every 401; this one names the scheme of Standard Webhooks.
            response = response.header(header::WWW_AUTHENTICATE, "StandardWebhooks");
        }
        if let Some((name, value)) = &self.header {
            response = response.header(name, value);
        }
        if self.status().is_server_error() {
            // For whoever records what failed.
            response = response.extension(self.kind);
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
