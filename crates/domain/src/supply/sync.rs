//! One pull of all that a supplier offers.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use crate::inbox::SourceName;
use crate::{Invalid, Timestamp};

/// A sync's number: from 1 up, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(i64);

impl SyncId {
    /// The id `id`; refused below 1.
    pub fn new(id: i64) -> Result<Self, Invalid> {
        if id >= 1 { Ok(Self(id)) } else { Err(Invalid::new("id", "must be a whole number from 1 up")) }
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for SyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a sync has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// Nobody works on it yet.
    Queued,
    /// Somebody does, or did until lately.
    Running,
    /// All pages are in.
    Done,
    /// It ended early; what was done until then stays.
    Failed,
}

impl SyncState {
    const ALL: [Self; 4] = [Self::Queued, Self::Running, Self::Done, Self::Failed];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for SyncState {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| Invalid::new("state", "must be queued, running, done or failed"))
    }
}

/// What became of the offers; one that comes twice in a sync counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Products that were made.
    pub made: u64,
    /// Products that were changed.
    pub changed: u64,
    /// Products that were as offered already; nothing was written.
    pub unchanged: u64,
    /// Offers that do not fit a product.
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.made += more.made;
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.failed += more.failed;
    }
}

/// A sync as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// Its number.
    pub id: SyncId,
    /// Whose offers it pulls.
    pub supplier: SourceName,
    /// How far it has come.
    pub state: SyncState,
    /// What became of the offers so far.
    pub counts: Counts,
    /// The pages that are in.
    pub pages: u64,
    /// Where the next page is; `None` for the first one.
    pub cursor: Option<String>,
    /// How often it was begun since a page came in.
    pub attempts: u32,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was begun.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed; empty otherwise.
    pub error: String,
}

impl Sync {
    /// A sync that somebody asks for.
    pub fn queued(id: SyncId, supplier: SourceName, now: Timestamp) -> Self {
        Self {
            id,
            supplier,
            state: SyncState::Queued,
            counts: Counts::default(),
            pages: 0,
            cursor: None,
            attempts: 0,
            requested_at: now,
            started_at: None,
            finished_at: None,
            error: String::new(),
        }
    }
}

/// The right to work on a sync. It is lent: once somebody else has it, nothing more is taken of this one.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The sync as it was found.
    pub sync: Sync,
    /// Which lending this is.
    pub fence: u64,
}

/// That a page is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Its offers that do not fit a product.
    pub failed: u64,
    /// Where the next page is, if there is one.
    pub next: Option<String>,
}
