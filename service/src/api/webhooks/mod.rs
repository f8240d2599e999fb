//! `/v1/webhooks`: events that others send, and what has become of them.

mod body;
mod raw;

use std::sync::Arc;

use farmlokal_catalog::inbox::{EventScan, Receipt, SourceName, State};
use farmlokal_catalog::{EventId, Limit};
use poem::Request;
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::{ApiResponse, OpenApi};

use super::answer::{Failure, Failures, Rendered};
use super::bearer::{Caller, Scope};
use super::problem::{Kind, Problem};
use super::values::{Number, Text};
use super::{Context, Tag};
use crate::webhooks::{Sent, Signature};
use body::{EventBody, EventPageBody};
pub use raw::RawBody;

/// The operations on events.
pub struct WebhooksApi(pub Arc<Context>);

/// The event is kept.
#[derive(ApiResponse)]
pub enum ReceiveAnswer {
    /// The event is kept and will be applied; it need not be sent again.
    #[oai(status = 202)]
    Accepted(
        Rendered<EventBody>,
        /// Where to see what becomes of it.
        #[oai(header = "Location")]
        String,
    ),
    /// The event has arrived before; this is what has become of it.
    #[oai(status = 200)]
    Duplicate(Rendered<EventBody>),
}

/// A page of events.
#[derive(ApiResponse)]
pub enum EventsAnswer {
    /// A page of events, newest first.
    #[oai(status = 200)]
    Page(
        Rendered<EventPageBody>,
        /// Where the next page is: `<…>; rel="next"` (RFC 8288).
        #[oai(header = "Link")]
        Option<String>,
    ),
}

/// An event.
#[derive(ApiResponse)]
pub enum EventAnswer {
    /// The event.
    #[oai(status = 200)]
    Event(Rendered<EventBody>),
}

/// The event is to be tried again.
#[derive(ApiResponse)]
pub enum ReplayAnswer {
    /// The event is pending.
    #[oai(status = 202)]
    Pending(Rendered<EventBody>),
}

/// What can go wrong in sending an event.
pub struct ReceiveFailures;

impl Failures for ReceiveFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "A header field is missing or malformed, or the body is no event."),
        (401, "The signature fits none of the source's secrets, or is older or newer than five minutes."),
        (404, "No source of events is configured under this name."),
        (409, "Another event with this id has arrived before."),
        (413, "The body is larger than 64 KiB."),
        (415, "The body is not JSON by its Content-Type."),
        (503, "The event could not be kept; send it again."),
    ];
}

/// What can go wrong in looking at events.
pub struct EventFailures;

impl Failures for EventFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "A parameter is wrong, unknown or given twice, or the cursor belongs to another listing."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope webhooks:read."),
        (404, "There is no such source or event."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong in trying an event again.
pub struct ReplayFailures;

impl Failures for ReplayFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "A parameter is wrong."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope admin."),
        (404, "There is no such source or event."),
        (409, "The event has been processed: what it said has been done."),
        (503, "The database is away or busy."),
    ];
}

#[OpenApi(prefix_path = "/v1/webhooks", tag = "Tag::Webhooks")]
impl WebhooksApi {
    /// Send an event
    ///
    /// Signed by [Standard Webhooks](https://www.standardwebhooks.com): `webhook-signature` is `v1,` and the
    /// base64 of the HMAC-SHA256 of `id.timestamp.body`; any of several signatures may fit. An answer of 2xx
    /// means that the event is not lost; the same event again is answered with what has become of the first.
    ///
    /// `product.upserted` has the whole product in `data`, `product.deleted` nothing beside its name,
    /// `price.changed` a `price` (and `currency`), `stock.changed` a `stock`. Each names its product by
    /// `externalId`, what the source calls it, or by our `id`. Other types are kept and ignored. Events may come
    /// in any order: by their `timestamp` older ones do not undo newer ones.
    #[oai(path = "/:source", method = "post", operation_id = "receiveWebhook")]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn receive(
        &self,
        request: &Request,
        /// Who sends.
        source: Path<Text<SourceName>>,
        /// The event's id: the same whenever it is sent again.
        #[oai(name = "webhook-id")]
        _id: Header<Option<String>>,
        /// When it is sent, in seconds since 1970.
        #[oai(name = "webhook-timestamp")]
        _timestamp: Header<Option<String>>,
        /// The signatures, with a space between them.
        #[oai(name = "webhook-signature")]
        _signature: Header<Option<String>>,
        body: RawBody,
    ) -> Result<ReceiveAnswer, Failure<ReceiveFailures>> {
        let field = |name| single(request, name);
        let signature = Signature {
            id: field("webhook-id"),
            timestamp: field("webhook-timestamp"),
            signatures: field("webhook-signature"),
        };
        let sent = Sent { source: source.0.0, signature, body: body.bytes() };
        Ok(match self.0.intake.receive(sent, self.0.now()).await? {
            Receipt::Accepted(event) => {
                let location = format!("/v1/webhooks/{}/events/{}", event.source, segment(&event.id));
                ReceiveAnswer::Accepted(Rendered::new(&EventBody::from(event))?, location)
            }
            Receipt::Duplicate(event) => ReceiveAnswer::Duplicate(Rendered::new(&EventBody::from(event))?),
            Receipt::Conflict => return Err(crate::webhooks::Refusal::Conflict.into()),
        })
    }

    /// List events
    ///
    /// Newest first, a page at a time. Needs an access token with the scope `webhooks:read`.
    #[oai(path = "/:source/events", method = "get", operation_id = "listWebhookEvents")]
    async fn list(
        &self,
        #[oai(scope = "Scope::WebhooksRead")] _caller: Caller,
        /// Who sent them.
        source: Path<Text<SourceName>>,
        /// Only events that have come so far.
        state: Query<Option<Text<State>>>,
        /// How many events a page has; 20 without it.
        limit: Query<Option<Number<Limit>>>,
        /// `nextCursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<EventsAnswer, Failure<EventFailures>> {
        let source = self.known(source.0.0)?;
        let stated = state.0.map(|state| state.0);
        let limit = limit.0.map_or_else(Limit::default, |limit| limit.0);
        let (state, before) = match cursor.0 {
            None => (stated, None),
            Some(cursor) => {
                let scan = EventScan::open(&self.0.cursors, &cursor, &source, stated)?;
                (scan.state, Some(scan.before))
            }
        };
        let (events, has_more) = self.0.catalogue.store().events(&source, state, before, limit).await?;
        let last = events.last().map(|event| event.number).filter(|_| has_more);
        let next_cursor = last.map(|before| EventScan { source: source.clone(), state, before }.seal(&self.0.cursors));
        let link = next_cursor.as_deref().map(|cursor| {
            format!("</v1/webhooks/{source}/events?limit={}&cursor={cursor}>; rel=\"next\"", limit.get())
        });
        let data = events.into_iter().map(Into::into).collect();
        Ok(EventsAnswer::Page(Rendered::new(&EventPageBody { data, has_more, next_cursor })?, link))
    }

    /// Read an event
    ///
    /// With the body that was sent. Needs an access token with the scope `webhooks:read`.
    #[oai(path = "/:source/events/:id", method = "get", operation_id = "getWebhookEvent")]
    async fn get(
        &self,
        #[oai(scope = "Scope::WebhooksRead")] _caller: Caller,
        /// Who sent it.
        source: Path<Text<SourceName>>,
        /// What the source calls it.
        id: Path<Text<EventId>>,
    ) -> Result<EventAnswer, Failure<EventFailures>> {
        let source = self.known(source.0.0)?;
        let (event, payload) = self.0.catalogue.store().event(&source, &id.0.0).await?.ok_or_else(no_such_event)?;
        Ok(EventAnswer::Event(Rendered::new(&EventBody::from(event).with_payload(&payload))?))
    }

    /// Try an event again
    ///
    /// One that is parked, or ignored by an earlier version of this service, becomes pending. Needs an access token with
    /// the scope `admin`.
    #[oai(path = "/:source/events/:id/replay", method = "post", operation_id = "replayWebhookEvent")]
    async fn replay(
        &self,
        #[oai(scope = "Scope::Admin")] _caller: Caller,
        /// Who sent it.
        source: Path<Text<SourceName>>,
        /// What the source calls it.
        id: Path<Text<EventId>>,
    ) -> Result<ReplayAnswer, Failure<ReplayFailures>> {
        let source = self.known(source.0.0)?;
        let replayed = self.0.catalogue.store().replay(&source, &id.0.0, self.0.now()).await?;
        let event = replayed.ok_or_else(no_such_event)?;
        if event.state != State::Pending {
            let done = "The event has been processed: what it said has been done, and newer events may have followed.";
            return Err(Problem::new(Kind::NotReplayable, done).into());
        }
        self.0.intake.wake();
        Ok(ReplayAnswer::Pending(Rendered::new(&EventBody::from(event))?))
    }
}

impl WebhooksApi {
    /// `source`, if there can be events of it.
    fn known(&self, source: SourceName) -> Result<SourceName, Problem> {
        if self.0.intake.knows(&source) {
            return Ok(source);
        }
        Err(Problem::new(Kind::NoSuchSource, "No source of events is configured under this name.").field("source"))
    }
}

fn no_such_event() -> Problem {
    Problem::new(Kind::NoSuchEvent, "The source has sent no event with this id, or so long ago that it is forgotten.")
        .field("id")
}

/// The header field `name`, if there is one and not several, which could be read in two ways.
fn single<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut fields = request.headers().get_all(name).into_iter();
    let field = fields.next()?.to_str().ok()?;
    fields.next().is_none().then_some(field)
}

/// `id` as a segment of a path.
fn segment(id: &EventId) -> String {
    url::form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect()
}
