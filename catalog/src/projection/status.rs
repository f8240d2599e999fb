//! How a projection is doing, for people and metrics.

/// What a projection is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    #[default]
    Starting,
    /// Another process has the folder.
    Waiting,
    /// Reading all products.
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
    /// Products read by the build under way, or by the last one.
    pub built: u64,
    /// How long the last build took, in seconds.
    pub build_seconds: f64,
    /// Changes that are known and not yet in the index.
    pub lag_rows: u64,
    /// Age of the oldest of them, in seconds.
    pub lag_seconds: f64,
    /// Why the last attempt failed, until one succeeds.
    pub error: Option<String>,
}
