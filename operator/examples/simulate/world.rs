//! A fleet with pools before a database, window by window.

use farmlokal_operator::tune::Observation;

use crate::database::{Database, waiting_probability};

/// Seconds of a window.
const WINDOW: f64 = 60.0;
/// Seconds a caller waits before it is turned away.
const TIMEOUT: f64 = 1.0;
/// The spread of ln of a measured 95th percentile of waits.
const WAIT_NOISE: f64 = 0.2;
/// What is in use, at least, and waited, while a burst's queue drains.
const DRAINING: (f64, f64) = (0.85, 0.1);

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Demand {
    /// So many statements a second, whatever becomes of them.
    Open(f64),
    /// So many clients, each with its next statement once it has the last one's answer.
    Closed(f64),
}

/// What is the same in all windows of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Conditions {
    /// The standard deviation of measured throughput and hold time, relative.
    pub(crate) noise: f64,
    /// The probability of a burst in a window: it fills the queue, and a database beyond its knee stays there until
    /// the demand falls below what it achieves there.
    pub(crate) bursts: f64,
}

/// One window: what is measured of it, and what really came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) seen: Observation,
    /// Seconds a statement held its connection, as measured.
    pub(crate) held: f64,
    /// Statements a second, really.
    pub(crate) served: f64,
}

/// Dice, and whether a queue stands.
#[derive(Debug, Clone)]
pub(crate) struct World {
    dice: fastrand::Rng,
    queued: bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: fastrand::Rng::with_seed(seed), queued: false }
    }

    /// One window with `connections` over `pods`, all confirmed.
    pub(crate) fn window(
        &mut self,
        database: &Database,
        demand: Demand,
        connections: u32,
        pods: u32,
        conditions: &Conditions,
    ) -> Window {
        let noise = [self.normal(), self.normal()].map(|it| (1.0 + conditions.noise * it).max(0.3));
        let wait_noise = (WAIT_NOISE * self.normal()).exp();
        self.queued |= self.dice.f64() < conditions.bursts;
        let all = f64::from(connections);
        let (served, at_work, wait, used) = match demand {
            Demand::Closed(clients) => {
                let at_work = clients.min(all);
                let served = database.throughput(at_work);
                let waiting = clients - at_work;
                (served, at_work, waiting / served * wait_noise, if waiting > 0.0 { 1.0 } else { at_work / all })
            }
            Demand::Open(rate) => self.open(database, rate, connections, pods, wait_noise),
        };
        let asked = if let Demand::Open(rate) = demand { rate } else { served };
        let seen = Observation {
            pods,
            reporting: pods,
            confirmed: true,
            applied: connections,
            acquires: (served * WINDOW) as u64,
            throughput: served * noise[0],
            in_use: used * all,
            wait_p95: wait,
            turned_away: ((asked - served).max(0.0) * WINDOW) as u64,
            ..Observation::default()
        };
        Window { seen, held: at_work / served * noise[1], served }
    }

    /// What is served, how many are at work, the wait, and the share in use.
    fn open(
        &mut self,
        database: &Database,
        rate: f64,
        connections: u32,
        pods: u32,
        wait_noise: f64,
    ) -> (f64, f64, f64, f64) {
        let all = f64::from(connections);
        let full = database.throughput(all);
        let enough = (1..=connections).map(f64::from).find(|&it| database.throughput(it) >= rate);
        let Some(at_work) = enough.filter(|_| !self.queued || full > rate) else {
            return (full, all, TIMEOUT, 1.0);
        };
        let held = at_work / database.throughput(at_work);
        let in_use = rate * held;
        let wait = percentile_of_wait(connections / pods, in_use / f64::from(pods), held) * wait_noise;
        let draining = std::mem::take(&mut self.queued);
        let (least_used, least_wait) = if draining { DRAINING } else { (0.0, 0.0) };
        (rate, at_work, wait.max(least_wait * wait_noise), (in_use / all).clamp(least_used, 1.0))
    }

    /// Box and Muller's.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.dice.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.dice.f64()).cos()
    }
}

/// The 95th percentile of the wait for one of `servers`, in seconds.
fn percentile_of_wait(servers: u32, offered: f64, held: f64) -> f64 {
    let waits = waiting_probability(servers, offered);
    let spare = (f64::from(servers) - offered) / held;
    if waits <= 0.05 {
        0.0
    } else if spare > 0.0 {
        ((waits / 0.05).ln() / spare).min(TIMEOUT)
    } else {
        TIMEOUT
    }
}
