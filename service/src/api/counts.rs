//! What the operations count.

use farmlokal_catalog::idempotency::Once;

use crate::tally::{Tally, counted};

/// What the operations count.
#[derive(Debug, Default)]
pub struct Counts {
    /// Searches by their outcome.
    pub searches: Tally<Searched>,
    /// Requests with an idempotency key.
    pub keys: Tally<Keyed>,
}

counted! {
    /// Outcome of a search.
    pub enum Searched {
        /// The search index has answered.
        Answered = "answered",
        /// There was no search index yet.
        Refused = "refused",
    }
}

counted! {
    /// What came of a request with an idempotency key.
    pub enum Keyed {
        /// It was done.
        Done = "done",
        /// It had been done, and was answered as then.
        Replayed = "replayed",
        /// Another try was under way.
        UnderWay = "under_way",
        /// The key stood for another request.
        Mismatch = "mismatch",
    }
}

impl Keyed {
    /// What `once` counts as.
    pub fn of(once: &Once) -> Self {
        match once {
            Once::Done(_) => Self::Done,
            Once::Replayed(_) => Self::Replayed,
            Once::UnderWay => Self::UnderWay,
            Once::Mismatch => Self::Mismatch,
        }
    }
}
