//! The laws that are compared: ours, and what others do.

use farmlokal_operator::tune::{Mode, Settings, State, decide};

use crate::world::Window;

/// Connections a fleet begins with, where the law has no opinion.
const START: u32 = 16;
/// Seconds of wait that are short enough.
pub(crate) const TARGET: f64 = 0.02;

/// What a law has to keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) pods: u32,
    pub(crate) least: u32,
    pub(crate) most: u32,
}

/// Makes a size of each window.
pub(crate) trait Law {
    /// Connections at first.
    fn start(&self) -> u32;
    /// Connections from the next window on.
    fn step(&mut self, window: &Window, connections: u32, bounds: &Bounds) -> u32;
}

/// A law's name, and how to begin with it.
pub(crate) type Named = (&'static str, fn() -> Box<dyn Law>);

/// All laws, in the order of the tables' columns.
pub(crate) fn all() -> [Named; 7] {
    [
        ("static 8", || Box::new(Static(8))),
        ("static 40", || Box::new(Static(40))),
        // The pool's formula: twice the cores and one for the disk, of a database server of eight cores.
        ("formula 17", || Box::new(Static(17))),
        ("grow on wait", || Box::new(GrowOnWait)),
        ("Gradient2", || Box::new(Gradient2 { limit: f64::from(START), long: None })),
        ("climb by probes", || Box::new(Probes::default())),
        ("ours", || Box::new(Ours(State::default()))),
    ]
}

/// A size that never changes.
struct Static(u32);

impl Law for Static {
    fn start(&self) -> u32 {
        self.0
    }

    fn step(&mut self, _: &Window, connections: u32, _: &Bounds) -> u32 {
        connections
    }
}

/// What an autoscaler of pools does: more while callers wait, fewer while most are idle.
struct GrowOnWait;

impl Law for GrowOnWait {
    fn start(&self) -> u32 {
        START
    }

    fn step(&mut self, window: &Window, connections: u32, bounds: &Bounds) -> u32 {
        if window.seen.wait_p95 > TARGET {
            connections + bounds.pods
        } else if window.seen.in_use < 0.4 * f64::from(connections) {
            connections.saturating_sub(bounds.pods)
        } else {
            connections
        }
    }
}

/// Netflix' `Gradient2Limit` with its defaults (long window 600, tolerance 1.5, queue 4, smoothing 0.2), told the hold
/// time of the connections.
struct Gradient2 {
    limit: f64,
    long: Option<f64>,
}

impl Law for Gradient2 {
    fn start(&self) -> u32 {
        START
    }

    fn step(&mut self, window: &Window, connections: u32, bounds: &Bounds) -> u32 {
        let short = window.held;
        let mut long = self.long.map_or(short, |long| long + (short - long) * 2.0 / 601.0);
        if long / short > 2.0 {
            long *= 0.95;
        }
        self.long = Some(long);
        if window.seen.in_use >= 0.5 * f64::from(connections) {
            let gradient = (1.5 * long / short).clamp(0.5, 1.0);
            let wished = 0.8 * self.limit + 0.2 * (self.limit * gradient + 4.0);
            self.limit = wished.clamp(f64::from(bounds.least), f64::from(bounds.most));
        }
        self.limit as u32
    }
}

/// Hill climbing by single probes: a step of 15 %, kept or taken back by the elasticity that one window shows; a
/// pause that doubles after two failures. What we began with.
struct Probes {
    probe: Option<(f64, f64, f64)>,
    up: bool,
    failures: u32,
    pause: u32,
    next_pause: u32,
}

impl Default for Probes {
    fn default() -> Self {
        Self { probe: None, up: true, failures: 0, pause: 0, next_pause: 1 }
    }
}

impl Law for Probes {
    fn start(&self) -> u32 {
        START
    }

    fn step(&mut self, window: &Window, connections: u32, bounds: &Bounds) -> u32 {
        let (size, throughput) = (f64::from(connections), window.seen.throughput);
        let starved = window.seen.wait_p95 > TARGET && window.seen.in_use >= 0.8 * size;
        if let Some((before, then, _)) = self.probe.take() {
            let elasticity = ((throughput - then) / then) / ((size - before) / before);
            let kept = if size > before { !starved || elasticity >= 0.1 } else { elasticity <= 0.03 };
            if !kept {
                self.up = !self.up;
                self.failures += 1;
                if self.failures == 2 {
                    (self.failures, self.pause) = (0, self.next_pause);
                    self.next_pause = (self.next_pause * 2).min(32);
                }
                return before as u32;
            }
            (self.failures, self.next_pause) = (0, 1);
        }
        if !starved || self.pause > 0 {
            self.pause = self.pause.saturating_sub(1);
            self.up |= !starved;
            return connections;
        }
        let step = (0.15 * size).max(f64::from(bounds.pods)) * if self.up { 1.0 } else { -1.0 };
        let to = (size + step).clamp(f64::from(bounds.least), f64::from(bounds.most));
        let to = (to / f64::from(bounds.pods)).round() * f64::from(bounds.pods);
        self.probe = (to != size).then_some((size, throughput, to));
        self.up ^= to == size;
        to as u32
    }
}

/// The operator's.
struct Ours(State);

impl Law for Ours {
    fn start(&self) -> u32 {
        START
    }

    fn step(&mut self, window: &Window, connections: u32, bounds: &Bounds) -> u32 {
        if self.0.pool_max == 0 {
            self.0 = State::new(bounds.pods, connections / bounds.pods);
        }
        let settings = Settings {
            mode: Mode::Auto,
            wait_target: TARGET,
            min_per_pod: bounds.least / bounds.pods,
            max_per_pod: bounds.most / bounds.pods,
        };
        let (_, next) = decide(&self.0, &window.seen, &settings);
        self.0 = next;
        self.0.pool_max * bounds.pods
    }
}
