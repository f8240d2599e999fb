//! How a projection is doing, for people and metrics.

use std::fmt;

/// What a projection is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    #[default]
    Starting,
    /// Another process has the folder.
    Waiting,
    /// Reading all products, those of a seeding under way as they come.
    Building,
    /// Following the log of changes.
    Ready,
}

impl State {
    /// The state's name in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Waiting => "waiting",
            Self::Building => "building",
            Self::Ready => "ready",
        }
    }
}

/// Progress of the build under way, or of the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BuildProgress {
    /// Products read.
    pub built: u64,
    /// Products there are, or are to be at the end of a seeding; `None` before they are counted.
    pub wanted: Option<u64>,
}

impl fmt::Display for BuildProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wanted {
            Some(wanted) => write!(f, "{} of {wanted} products are in it", self.built),
            None => f.write_str("its build has not begun"),
        }
    }
}

/// How a projection is doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// What it is at.
    pub state: State,
    /// Products in the index that serves.
    pub documents: u64,
    /// Bytes of that index on disk.
    pub bytes: u64,
    /// Changes up to this number are in it.
    pub position: u64,
    /// Progress of the build under way, or of the last one.
    pub build: BuildProgress,
    /// How long the last build took, in seconds.
    pub build_seconds: f64,
    /// Changes that are known and not yet in the index.
    pub lag_rows: u64,
    /// Age of the oldest of them, in seconds.
    pub lag_seconds: f64,
    /// Why the last attempt failed, until one succeeds.
    pub error: Option<String>,
}
