//! `POST /webhook`: the original's way to send events, with its answers. An event counts once, whatever crashes and
//! however often it is sent; nothing proves who sent it, so it changes nothing.

use std::sync::Arc;

use farmlokal_catalog::EventId;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde_json::Value;

use super::answer::{Failure, Failures};
use super::problem::{Kind, Problem};
use super::webhooks::RawBody;
use super::{Context, Tag};

/// The original's operation.
pub struct OriginalWebhookApi(pub Arc<Context>);

/// What the original said to an event.
#[derive(Object)]
#[oai(rename = "OriginalWebhookAnswer")]
pub struct Answer {
    /// `success` for an event that is new.
    #[oai(skip_serializing_if_is_none)]
    status: Option<String>,
    /// That it was sent before.
    #[oai(skip_serializing_if_is_none)]
    message: Option<String>,
}

/// What the original said to what is no event.
#[derive(Object)]
#[oai(rename = "OriginalWebhookError")]
pub struct Complaint {
    /// What is wrong.
    error: String,
}

/// The original's answers.
#[derive(ApiResponse)]
pub enum OriginalWebhookAnswer {
    /// The event is known as sent.
    #[oai(status = 200)]
    Known(Json<Answer>),
    /// There is no `eventId`, or it is no text.
    #[oai(status = 400)]
    Refused(Json<Complaint>),
}

/// What else can go wrong.
pub struct OriginalWebhookFailures;

impl Failures for OriginalWebhookFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (413, "The body is larger than 64 KiB."),
        (415, "The body is not JSON by its Content-Type."),
        (503, "The event could not be kept; send it again."),
    ];
}

#[OpenApi(tag = "Tag::Original")]
impl OriginalWebhookApi {
    /// Send an event as to the original
    ///
    /// `{"eventId", "data"}`. An id must be a text: of others the original made one and the same. Nothing proves who
    /// sends, so the event is noted and changes nothing; `POST /v1/webhooks/{source}` is for those that do.
    #[oai(path = "/webhook", method = "post", operation_id = "receiveWebhookOriginal")]
    async fn receive(&self, body: RawBody) -> Result<OriginalWebhookAnswer, Failure<OriginalWebhookFailures>> {
        let sent: Value = serde_json::from_slice(body.bytes())
            .map_err(|error| Problem::new(Kind::InvalidBody, format!("The body must be JSON: {error}.")))?;
        let id = match event_id(&sent) {
            Ok(id) => id,
            Err(error) => {
                return Ok(OriginalWebhookAnswer::Refused(Json(Complaint { error: error.to_owned() })));
            }
        };
        let new = self.0.intake.receive_original(id, body.bytes(), self.0.now()).await?;
        let said = |text: &str| Some(text.to_owned());
        Ok(OriginalWebhookAnswer::Known(Json(match new {
            true => Answer { status: said("success"), message: None },
            false => Answer { status: None, message: said("Event already processed (Idempotent)") },
        })))
    }
}

/// The id in `sent`, or what the original's client is told.
fn event_id(sent: &Value) -> Result<EventId, &'static str> {
    match sent.get("eventId") {
        None | Some(Value::Null) => Err("Missing eventId"),
        Some(Value::String(id)) if id.is_empty() => Err("Missing eventId"),
        Some(Value::String(id)) => id.parse().map_err(
            |_| "eventId must be 1 to 255 characters, without control characters and without white space at either end",
        ),
        Some(_) => Err("eventId must be a string"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_text_or_missing() {
        assert_eq!(event_id(&json!({"eventId": "e-1", "data": 1})).unwrap().as_str(), "e-1");
        for missing in [json!({}), json!([]), json!("eventId"), json!({"eventId": null}), json!({"eventId": ""})] {
            assert_eq!(event_id(&missing), Err("Missing eventId"), "{missing}");
        }
        for wrong in [json!({"a": 1}), json!([1]), json!(7), json!(0), json!(true)] {
            assert_eq!(event_id(&json!({"eventId": wrong})), Err("eventId must be a string"), "{wrong}");
        }
        assert!(event_id(&json!({"eventId": "a "})).is_err());
    }
}
