//! What the tuner is told, and what it remembers from one window to the next.

use serde::{Deserialize, Serialize};

use super::elasticity::Point;

/// Whether decisions are made, and carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mode {
    /// Decide nothing; the pools keep their size.
    Off,
    /// Decide and say so, and leave the pools alone.
    Observe,
    /// Decide and carry it out.
    #[default]
    Auto,
}

/// What the user and the budget allow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Whether decisions are carried out.
    pub mode: Mode,
    /// The wait for a connection that is short enough, in seconds, at the 95th percentile.
    pub wait_target: f64,
    /// The least a pod gets. At least 1.
    pub min_per_pod: u32,
    /// The most a pod gets: what the budget has for it, or less if the user says so. At least `min_per_pod`.
    pub max_per_pod: u32,
}

/// Where the tuner looks next when it must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Direction {
    /// More connections.
    Up,
    /// Fewer connections; first, since the climb came from below.
    #[default]
    Down,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// The tuner's memory. It goes into the object's status, so that a restarted operator goes on where it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// Connections of all pods, the target. 0 before the first decision.
    pub connections: u32,
    /// Connections of a pod: what was published last, or is to be published now.
    pub pool_max: u32,
    /// Pods at the last look.
    pub pods: u32,
    /// Windows to wait until the pods are taken for settled after one came or went.
    pub frozen: u32,
    /// Windows without growth after the database refused connections.
    pub cooldown: u32,
    /// Windows in a row in which half of the connections were not needed.
    pub unused: u32,
    /// Windows to hold before looking around again.
    pub pause: u32,
    /// How long the next such pause is.
    pub next_pause: u32,
    /// Where to look then.
    pub direction: Direction,
    /// Windows in a row whose throughput was not what the points let expect.
    pub surprises: u32,
    /// What the database achieved with how many connections, the youngest first.
    pub points: Vec<Point>,
}

impl State {
    /// A fleet's beginning, with `pool_max` connections a pod.
    #[must_use]
    pub fn new(pods: u32, pool_max: u32) -> Self {
        Self { connections: pods * pool_max, pool_max, pods, ..Self::default() }
    }
}
