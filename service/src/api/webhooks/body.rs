//! Events as JSON.

use chrono::{DateTime, TimeZone as _, Utc};
use farmlokal_catalog::inbox::{Event, SourceName, State};
use farmlokal_catalog::{EventId, EventType};
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::api::values::Text;

/// An event and what has become of it.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "WebhookEvent", rename_all = "camelCase", example)]
pub struct EventBody {
    /// What its source calls it.
    id: Text<EventId>,
    /// Who sent it.
    source: Text<SourceName>,
    /// What kind of event it is.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    kind: Text<EventType>,
    /// How far it has come.
    state: Text<State>,
    /// What came of it, or of the last try; left out before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    outcome: Option<String>,
    /// How often it was tried in vain.
    attempts: u32,
    /// When it is to be tried next; left out when it is not pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it happened, says its source.
    occurred_at: DateTime<Utc>,
    /// When it arrived.
    received_at: DateTime<Utc>,
    /// When it came to its end; left out before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    processed_at: Option<DateTime<Utc>>,
    /// The body that was sent; left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    payload: Option<String>,
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            id: Text(event.id),
            source: Text(event.source),
            kind: Text(event.kind),
            state: Text(event.state),
            outcome: Some(event.outcome).filter(|outcome| !outcome.is_empty()),
            attempts: event.attempts,
            next_attempt_at: (event.state == State::Pending).then(|| event.next_at.to_utc()),
            occurred_at: event.occurred_at.to_utc(),
            received_at: event.received_at.to_utc(),
            processed_at: event.processed_at.map(|at| at.to_utc()),
            payload: None,
        }
    }
}

impl EventBody {
    /// The same with the body that was sent.
    pub(super) fn with_payload(self, payload: &[u8]) -> Self {
        Self { payload: Some(String::from_utf8_lossy(payload).into_owned()), ..self }
    }
}

/// A page of events.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename = "WebhookEventPage", rename_all = "camelCase")]
pub struct EventPageBody {
    /// The events of this page, newest first.
    pub data: Vec<EventBody>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    pub next_cursor: Option<String>,
}

impl Example for EventBody {
    #[allow(clippy::expect_used, reason = "constants; the test of the OpenAPI document renders them")]
    fn example() -> Self {
        const RIGHT: &str = "the example is right";
        let at = Utc.with_ymd_and_hms(2026, 1, 2, 6, 30, 0).single().unwrap_or_default();
        Self {
            id: Text("evt_2cPdL0yfmbYdKSxx".parse().expect(RIGHT)),
            source: Text("farm-hub".parse().expect(RIGHT)),
            kind: Text("price.changed".parse().expect(RIGHT)),
            state: Text(State::Processed),
            outcome: Some("changed product 42".to_owned()),
            attempts: 0,
            next_attempt_at: None,
            occurred_at: at,
            received_at: at,
            processed_at: Some(at),
            payload: None,
        }
    }
}
