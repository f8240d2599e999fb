//! Taking an event in: believed, read as far as needed, kept. Only then is the sender told so.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::inbox::{Head, NewEvent, Receipt, SourceName, State};
use farmlokal_catalog::store::{Inbox, StoreError};
use farmlokal_catalog::{EventId, EventType, Invalid, Timestamp};
use farmlokal_telemetry::propagation;
use tokio::sync::Notify;

use super::arrivals::{Arrival, Arrivals};
use super::seen::Seen;
use super::signature::{Signature, SignatureError};
use super::source::{ORIGINAL, Sources};

/// How far in the future an event may have happened: the sender's clock may be ahead of ours. One that is
/// further ahead would outdo all that happen until then.
const AHEAD: Duration = Duration::from_secs(300);

/// Why an event is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody here is called so.
    #[error("no source of events is called {0}")]
    UnknownSource(SourceName),
    /// It is not believed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is no event.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another event of the source has its id.
    #[error("the source has sent another event with this id")]
    Conflict,
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An event as it is sent.
pub struct Sent<'a> {
    /// Who is said to have sent it.
    pub source: SourceName,
    /// What is to prove it.
    pub signature: Signature<'a>,
    /// The bytes that arrived.
    pub body: &'a [u8],
}

/// Takes events in, and wakes the worker.
#[derive(Clone)]
pub struct Intake {
    sources: Sources,
    inbox: Arc<dyn Inbox>,
    /// Only to be quick.
    seen: Option<Seen>,
    wake: Arc<Notify>,
    arrivals: Arc<Arrivals>,
}

impl Intake {
    /// Takes in what `sources` send.
    pub fn new(sources: Sources, inbox: Arc<dyn Inbox>, seen: Option<Seen>, wake: Arc<Notify>) -> Self {
        let arrivals = Arc::new(Arrivals::new(&sources));
        Self { sources, inbox, seen, wake, arrivals }
    }

    /// Whether there can be events of the source `name`.
    pub fn knows(&self, name: &SourceName) -> bool {
        name.as_str() == ORIGINAL || self.sources.secrets(name).is_some()
    }

    /// Wakes the worker: there is something for it to do.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// What became of events at the door.
    pub fn arrivals(&self) -> Arc<Arrivals> {
        Arc::clone(&self.arrivals)
    }

    /// Takes in an event that arrives `now`: [`Receipt::Accepted`] or [`Receipt::Duplicate`].
    pub async fn receive(&self, sent: Sent<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
        let counts = self.arrivals.of(&sent.source);
        let outcome = self.take_in(sent, now).await;
        counts.add(Arrival::of(&outcome));
        outcome
    }

    async fn take_in(&self, sent: Sent<'_>, now: Timestamp) -> Result<Receipt, Refusal> {
        let Some(secrets) = self.sources.secrets(&sent.source) else {
            return Err(Refusal::UnknownSource(sent.source));
        };
        let vouched = sent.signature.verify(sent.body, secrets, now)?;
        let head = Head::read(sent.body)?;
        let occurred_at = head.occurred_at.unwrap_or(vouched.sent_at);
        if occurred_at.to_utc() > now.to_utc() + AHEAD {
            return Err(Invalid::new("timestamp", "must not lie in the future").into());
        }
        let event = NewEvent {
            source: sent.source,
            id: vouched.id,
            kind: head.kind,
            occurred_at,
            payload: sent.body.to_vec(),
            traceparent: propagation::current(),
            state: State::Pending,
        };
        match self.keep(&event, now).await? {
            Receipt::Conflict => Err(Refusal::Conflict),
            receipt => {
                self.wake();
                Ok(receipt)
            }
        }
    }

    /// Takes in what the original's clients send: it is known as sent from then on, and nothing else comes of
    /// it, since nothing proves who sent it. Whether it is new.
    pub async fn receive_original(&self, id: EventId, body: &[u8], now: Timestamp) -> Result<bool, Refusal> {
        let event = NewEvent {
            source: ORIGINAL.parse::<SourceName>()?,
            id,
            kind: ORIGINAL.parse::<EventType>()?,
            occurred_at: now,
            payload: body.to_vec(),
            traceparent: None,
            state: State::Ignored,
        };
        let outcome = self.keep(&event, now).await.map_err(Refusal::from);
        self.arrivals.of(&event.source).add(Arrival::of(&outcome));
        Ok(matches!(outcome?, Receipt::Accepted(_)))
    }

    /// Keeps `event`, or finds the one that has its id. A marked one is only read for.
    async fn keep(&self, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError> {
        let Some(seen) = &self.seen else { return self.inbox.receive(event, now).await };
        if seen.has(&event.source, &event.id).await
            && let Some((kept, payload)) = self.inbox.event(&event.source, &event.id).await?
        {
            return Ok(if payload == event.payload { Receipt::Duplicate(kept) } else { Receipt::Conflict });
        }
        let receipt = self.inbox.receive(event, now).await?;
        seen.note(&event.source, &event.id).await;
        Ok(receipt)
    }
}
