//! What the operations count.

use farmlokal_catalog::catalogue::Source;
use farmlokal_catalog::idempotency::Once;

use crate::tally::{Tally, counted};

/// What the operations count.
#[derive(Debug, Default)]
pub struct Counts {
    /// Pages by who found their products.
    pub searches: Tally<Searched>,
    /// Requests with an idempotency key.
    pub keys: Tally<Keyed>,
}

counted! {
    /// Who found the products of a page.
    pub enum Searched {
        /// The search index.
        Index = "index",
        /// SQL, in its stead.
        Sql = "sql",
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

impl Searched {
    /// `None` for what needs no search.
    pub fn by(source: Source) -> Option<Self> {
        match source {
            Source::Table => None,
            Source::Index => Some(Self::Index),
            Source::Fallback => Some(Self::Sql),
        }
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
