//! What became of events at the door, by source.

use farmlokal_catalog::inbox::{Receipt, SourceName};

use super::intake::Refusal;
use super::source::{ORIGINAL, Sources};
use crate::tally::{Tally, counted};

counted! {
    /// What became of an event that arrived.
    pub enum Arrival {
        /// It is in the inbox now.
        Accepted = "accepted",
        /// It was there already.
        Duplicate = "duplicate",
        /// Another event has its id.
        Conflict = "conflict",
        /// It is not believed.
        Unsigned = "unsigned",
        /// It is no event.
        Invalid = "invalid",
        /// It could not be kept.
        Failed = "failed",
    }
}

impl Arrival {
    pub(super) fn of(outcome: &Result<Receipt, Refusal>) -> Self {
        match outcome {
            Ok(Receipt::Accepted(_)) => Self::Accepted,
            Ok(Receipt::Duplicate(_)) => Self::Duplicate,
            Ok(Receipt::Conflict) | Err(Refusal::Conflict) => Self::Conflict,
            Err(Refusal::Signature(_) | Refusal::UnknownSource(_)) => Self::Unsigned,
            Err(Refusal::Invalid(_)) => Self::Invalid,
            Err(Refusal::Store(_)) => Self::Failed,
        }
    }
}

/// Counts for each source that is known, and one for all others: anybody can make up names.
#[derive(Debug)]
pub struct Arrivals {
    known: Vec<(String, Tally<Arrival>)>,
    others: Tally<Arrival>,
}

impl Arrivals {
    pub(super) fn new(sources: &Sources) -> Self {
        let names = sources.names().map(SourceName::as_str).chain([ORIGINAL]);
        Self { known: names.map(|name| (name.to_owned(), Tally::default())).collect(), others: Tally::default() }
    }

    /// The counts of `source`.
    pub fn of(&self, source: &SourceName) -> &Tally<Arrival> {
        self.known.iter().find(|(name, _)| name == source.as_str()).map_or(&self.others, |(_, tally)| tally)
    }

    /// The counts of all sources that are known, by name.
    pub fn known(&self) -> impl Iterator<Item = (&str, &Tally<Arrival>)> {
        self.known.iter().map(|(name, tally)| (name.as_str(), tally))
    }

    /// The counts of all others.
    pub fn others(&self) -> &Tally<Arrival> {
        &self.others
    }
}
