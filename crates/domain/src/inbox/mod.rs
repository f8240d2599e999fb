//! Events that others send us: what one is, what it does to a product, and when it comes too late.
//!
//! The inbox itself is a table, which the store keeps.

mod cursor;
mod event;
mod order;

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{EventId, EventType, Invalid, Timestamp};

pub use cursor::EventScan;
pub use event::{Effect, Head, ProductEvent, ProductRef};
pub use order::{Aspect, Decision, Seen, Stamp, Step};

/// Who sends events or offers products: 1 to 64 small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Box<str>);

impl SourceName {
    /// The form a name has, as a regular expression.
    pub const PATTERN: &'static str = "^[a-z0-9-]{1,64}$";
    /// The most characters it may have.
    pub const MAX_CHARS: usize = 64;

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(named) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("source", "must be 1 to 64 small letters, digits and hyphens"))
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An event as it arrives.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Who sent it.
    pub source: SourceName,
    /// What the source calls it: sent again, it has the same id.
    pub id: EventId,
    /// What kind of event it is.
    pub kind: EventType,
    /// When it happened, says the source.
    pub occurred_at: Timestamp,
    /// The bytes that were sent.
    pub payload: Vec<u8>,
    /// The span that took it in (W3C Trace Context).
    pub traceparent: Option<String>,
    /// [`State::Pending`], or [`State::Ignored`] for what is only to be known as sent.
    pub state: State,
}

impl NewEvent {
    /// The event as the inbox has it once it is there.
    pub fn kept(&self, number: u64, now: Timestamp) -> Event {
        Event {
            number,
            source: self.source.clone(),
            id: self.id.clone(),
            kind: self.kind.clone(),
            occurred_at: self.occurred_at,
            traceparent: self.traceparent.clone(),
            state: self.state,
            attempts: 0,
            next_at: now,
            outcome: String::new(),
            received_at: now,
            processed_at: self.processed_at(now),
        }
    }

    /// When it came to its end, if there is nothing to do.
    pub fn processed_at(&self, now: Timestamp) -> Option<Timestamp> {
        (self.state != State::Pending).then_some(now)
    }

    /// The SHA-256 of the payload: the same id with another one is not the same event.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.payload).into()
    }
}

/// An event that is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its number in the inbox.
    pub number: u64,
    /// The trace that brought it.
    pub traceparent: Option<String>,
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// To be applied.
    Pending,
    /// Applied, or known to be outdone by a newer one.
    Processed,
    /// Nothing here does anything for this kind of event.
    Ignored,
    /// Given up until somebody says to try again.
    Parked,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Processed, Self::Ignored, Self::Parked];
    /// Their names, in the same order.
    pub const NAMES: [&'static str; 4] = ["pending", "processed", "ignored", "parked"];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processed => "processed",
            Self::Ignored => "ignored",
            Self::Parked => "parked",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| Invalid::new("state", format!("must be one of {}", Self::NAMES.join(", "))))
    }
}

/// An event as the inbox has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the inbox, in the order of arrival.
    pub number: u64,
    /// Who sent it.
    pub source: SourceName,
    /// What the source calls it.
    pub id: EventId,
    /// What kind of event it is.
    pub kind: EventType,
    /// When it happened, says the source.
    pub occurred_at: Timestamp,
    /// The trace that sent it.
    pub traceparent: Option<String>,
    /// How far it has come.
    pub state: State,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is to be tried next; once it has ended, when that was.
    pub next_at: Timestamp,
    /// What came of it, or of the last try; empty before the first.
    pub outcome: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When it came to its end, if it has.
    pub processed_at: Option<Timestamp>,
}

/// What became of an event that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the inbox now.
    Accepted(Event),
    /// It was there already, and is as it is.
    Duplicate(Event),
    /// Another event has its id.
    Conflict,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sources_are_plain() {
        for name in ["farm-hub", "7", &"x".repeat(64)] {
            assert_eq!(name.parse::<SourceName>().unwrap().as_str(), name);
        }
        for name in ["", "Farm", "a_b", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert_eq!(name.parse::<SourceName>().unwrap_err().field, "source", "{name:?}");
        }
    }

    #[test]
    fn states_have_one_name_each() {
        assert_eq!(State::ALL.map(State::as_str), State::NAMES);
        for state in State::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("done".parse::<State>().is_err());
    }
}
