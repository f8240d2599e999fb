//! What the law says.

use serde::{Deserialize, Serialize};

/// What is done with the pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// They keep their size.
    Hold,
    /// More connections.
    Grow,
    /// Fewer connections.
    Shrink,
    /// The same connections, over another number of pods.
    Spread,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Tuning is off.
    Off,
    /// The first size, before anything is known.
    Start,
    /// No pod is ready.
    NoPods,
    /// A pod came or went, or a rollout is under way.
    Scaling,
    /// Not every pod has applied what was published last.
    Unconfirmed,
    /// Too few pods could be scraped.
    StaleMetrics,
    /// Too little happened to judge by.
    Quiet,
    /// The database refused connections.
    Refused,
    /// Not long enough ago the database refused connections.
    CoolingDown,
    /// The size was outside what settings and budget allow.
    Bounds,
    /// The number of pods is another one.
    Pods,
    /// Callers wait, and the database keeps up.
    Waiting,
    /// Throughput rises with the connections.
    Pays,
    /// Throughput does not fall with fewer connections.
    Saturated,
    /// Callers wait, and it is not known whether more or fewer connections serve them better.
    Unknown,
    /// Throughput is not what it was with as many connections.
    Surprised,
    /// Callers wait; neither more nor fewer connections serve them better.
    Settled,
    /// Callers wait, and there are no more connections to give.
    Exhausted,
    /// Connections were not needed.
    Unused,
    /// Nobody waits for long.
    Content,
}

/// One window's decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What is done, or in [`Mode::Observe`](super::Mode::Observe) would be.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Connections of all pods so far.
    pub from: u32,
    /// Connections of all pods from now on.
    pub to: u32,
    /// Connections of a pod from now on: what the tuning file is to say.
    pub pool_max: u32,
    /// By what share throughput would rise if connections did, as far as known: 1 one for one, 0 not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elasticity: Option<f64>,
}

impl Reason {
    /// Whether callers wait although more connections would not help: the database is what is too small.
    #[must_use]
    pub fn is_saturation(self) -> bool {
        matches!(self, Self::Saturated | Self::Settled)
    }

    /// The sentence for people: in the object's status, in events, and where a decision is explained.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Off => "tuning is off",
            Self::Start => "nothing is known yet: this is the size to begin with",
            Self::NoPods => "no pod is ready",
            Self::Scaling => "pods come or go: sizes are judged again two windows after",
            Self::Unconfirmed => "not every pod has applied the last change yet",
            Self::StaleMetrics => "too few pods could be scraped to judge by",
            Self::Quiet => "too little happened to judge by",
            Self::Refused => "the database refused connections: others need some, or its limit is below the budget",
            Self::CoolingDown => "callers wait, but the database refused connections a moment ago",
            Self::Bounds => "the size was outside what settings and budget allow",
            Self::Pods => "the number of pods changed: the same connections are shared anew",
            Self::Waiting => "callers wait, and the database keeps up: more connections shorten the wait",
            Self::Pays => "callers wait, and throughput rises with the connections",
            Self::Saturated => "the database serves no less with fewer connections: it is what limits throughput",
            Self::Unknown => "callers wait: another size is tried to learn whether it serves them better",
            Self::Surprised => "throughput is not what it was with as many connections: it is looked at once more",
            Self::Settled => "callers wait, but neither more nor fewer connections serve them better",
            Self::Exhausted => "callers wait, and the budget has no more connections for them",
            Self::Unused => "half of the connections were idle for five windows",
            Self::Content => "the wait is as short as it should be",
        }
    }
}
