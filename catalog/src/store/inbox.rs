//! The inbox: events are kept once, and applied in the transaction that says so.

use async_trait::async_trait;

use super::StoreError;
use crate::inbox::{Due, Event, NewEvent, Receipt, SourceName, State};
use crate::{EventId, EventType, Limit, Timestamp};

/// When the event of this number, tried in vain so often, is to be tried again; `None` to park it.
pub type Retry<'a> = &'a (dyn Fn(u64, u32) -> Option<Timestamp> + Send + Sync);

/// Events that others sent, and what has become of them.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps `event`, unless the inbox has it. Once this returns it is not lost.
    async fn receive(&self, event: &NewEvent, now: Timestamp) -> Result<Receipt, StoreError>;

    /// Up to `limit` events that are to be tried `now`, longest due first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError>;

    /// Applies the event `number` and says in the same transaction what came of it. `None` if there is
    /// nothing to do: it is done, not due, or in somebody else's hands at this moment.
    async fn process(&self, number: u64, now: Timestamp, retry: Retry<'_>) -> Result<Option<State>, StoreError>;

    /// Notes that processing the event `number` broke off, which changed nothing, because of `why`.
    async fn broke_off(&self, number: u64, why: &str, now: Timestamp, retry: Retry<'_>) -> Result<(), StoreError>;

    /// Up to `limit` events of `source` in `state` (any, when `None`) that arrived before the one numbered
    /// `before`, newest first, and whether there are more.
    async fn events(
        &self,
        source: &SourceName,
        state: Option<State>,
        before: Option<u64>,
        limit: Limit,
    ) -> Result<(Vec<Event>, bool), StoreError>;

    /// The event that `source` calls `id`, and its payload.
    async fn event(&self, source: &SourceName, id: &EventId) -> Result<Option<(Event, Vec<u8>)>, StoreError>;

    /// Makes an event that is parked or ignored pending again. Gives it as it is then; whatever else it was,
    /// it stays.
    async fn replay(&self, source: &SourceName, id: &EventId, now: Timestamp) -> Result<Option<Event>, StoreError>;

    /// Forgets events that were processed or ignored before `before`, a bounded number at a time.
    async fn prune_inbox(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// Events forgotten by one pruning.
pub(super) const PRUNE: u32 = 1_000;
/// What fits the column.
const OUTCOME_CHARS: usize = 500;

/// An event whose turn it is, locked.
pub(super) struct Claimed {
    pub(super) number: u64,
    pub(super) source: SourceName,
    pub(super) kind: EventType,
    pub(super) occurred_at: Timestamp,
    pub(super) payload: Vec<u8>,
    pub(super) attempts: u32,
}

/// What came of applying an event.
pub(super) enum Ending {
    Processed(String),
    Ignored,
    /// It can never be applied: what it says does not fit.
    Refused(String),
    /// There is no such product (yet).
    Missing,
}

/// What is written into the event's row.
pub(super) struct Finish {
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) next_at: Timestamp,
    pub(super) outcome: String,
    pub(super) processed_at: Option<Timestamp>,
}

impl Ending {
    /// What is to be written; `event` has been tried so often before.
    pub(super) fn finish(self, number: u64, attempts: u32, now: Timestamp, retry: Retry<'_>) -> Finish {
        let ended = |state, outcome, processed_at| Finish { state, attempts, next_at: now, outcome, processed_at };
        match self {
            Self::Processed(outcome) => ended(State::Processed, outcome, Some(now)),
            Self::Ignored => ended(State::Ignored, "nothing is done for this type of event".to_owned(), Some(now)),
            Self::Refused(why) => Finish { attempts: attempts + 1, ..ended(State::Parked, cut(&why), None) },
            Self::Missing => failed("there is no such product", number, attempts, now, retry),
        }
    }
}

/// What is to be written of an event that was tried in vain once more.
pub(super) fn failed(why: &str, number: u64, attempts: u32, now: Timestamp, retry: Retry<'_>) -> Finish {
    let attempts = attempts.saturating_add(1);
    let (state, next_at) = match retry(number, attempts) {
        Some(next_at) => (State::Pending, next_at),
        None => (State::Parked, now),
    };
    Finish { state, attempts, next_at, outcome: cut(why), processed_at: None }
}

fn cut(outcome: &str) -> String {
    outcome.chars().take(OUTCOME_CHARS).collect()
}
