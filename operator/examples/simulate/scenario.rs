//! Databases, loads and faults to compare laws on.

use std::f64::consts::TAU;

use crate::database::Database;
use crate::laws::{Bounds, Law};
use crate::world::{Conditions, Demand, World};

/// Connections that the budget has, and that each pod needs.
const BUDGET: u32 = 160;
const LEAST_PER_POD: u32 = 2;
/// Windows of a run: four hours.
const WINDOWS: u32 = 240;

/// One run's circumstances.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pods: u32,
    windows: u32,
    conditions: Conditions,
    /// Windows before a change is confirmed by all pods.
    delay: u32,
    database: Box<dyn Fn(u32) -> Database>,
    demand: Box<dyn Fn(u32) -> Demand>,
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    /// Statements served, of those that the best size at each moment would have served.
    pub(crate) achieved: f64,
    /// How often the size changed.
    pub(crate) changes: u32,
}

impl Scenario {
    /// Only its first windows.
    #[allow(dead_code, reason = "for the tests")]
    pub(crate) fn shortened(self, windows: u32) -> Self {
        Self { windows, ..self }
    }

    pub(crate) fn run(&self, law: &mut dyn Law, seed: u64) -> Outcome {
        let most = BUDGET / self.pods * self.pods;
        let bounds = Bounds { pods: self.pods, least: LEAST_PER_POD * self.pods, most };
        let in_bounds = |size: u32| (size / bounds.pods * bounds.pods).clamp(bounds.least, bounds.most);
        let (mut world, mut size) = (World::new(seed), in_bounds(law.start()));
        let (mut served, mut possible, mut changes, mut unconfirmed) = (0.0, 0.0, 0, 0);
        for index in 0..self.windows {
            let (database, demand) = ((self.database)(index), (self.demand)(index));
            let window = world.window(&database, demand, size, self.pods, &self.conditions);
            served += window.served;
            possible += match demand {
                Demand::Open(rate) => rate.min(database.peak(most)),
                Demand::Closed(clients) => database.peak(most.min(clients as u32)),
            };
            if unconfirmed > 0 {
                unconfirmed -= 1;
                continue;
            }
            let next = in_bounds(law.step(&window, size, &bounds));
            if next != size {
                (size, unconfirmed) = (next, self.delay);
                changes += 1;
            }
        }
        Outcome { achieved: served / possible, changes }
    }
}

/// Databases of three sizes, and one that changes: what the law was made with.
pub(crate) fn known() -> Vec<Scenario> {
    let database = |contention, coherency| Database { alone: 200.0, contention, coherency, limit: f64::INFINITY };
    let (small, middle, big) = (database(0.05, 0.004), database(0.02, 0.0005), database(0.005, 0.00005));
    let conditions = Conditions { noise: 0.015, bursts: 0.0 };
    let mut all = Vec::new();
    for (name, database) in [("knee at 15", small), ("knee at 44", middle), ("knee at 141", big)] {
        for load in [0.5, 0.9, 1.2] {
            all.push(Scenario {
                name: format!("{name}, load {load}"),
                pods: 4,
                windows: WINDOWS,
                conditions,
                delay: 0,
                database: Box::new(move |_| database),
                demand: Box::new(move |_| Demand::Open(load * database.peak(BUDGET))),
            });
        }
    }
    let degrades = move |window| if (120..360).contains(&window) { small } else { middle };
    let peak = middle.peak(BUDGET);
    let day = move |window: u32| Demand::Open(0.9 * peak * (0.6 + 0.4 * (f64::from(window) / 60.0).sin()));
    let changing = |name: &str, demand: Box<dyn Fn(u32) -> Demand>| Scenario {
        name: format!("falls from 44 to 15 and recovers, {name}"),
        pods: 4,
        windows: 600,
        conditions,
        delay: 0,
        database: Box::new(degrades),
        demand,
    };
    all.push(changing("a day's load", Box::new(day)));
    all.push(changing("load 1.2", Box::new(move |_| Demand::Open(1.2 * peak))));
    all
}

/// A row of the second table.
pub(crate) struct Case {
    pub(crate) name: String,
    load: f64,
    conditions: Conditions,
    delay: u32,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Steady,
    /// Between 30 % and 100 % of the load, in four hours.
    Wave,
    /// Clients that wait for their answers, 200 to 600 of them.
    Clients,
    /// Steady, on a database that is no USL's: a hard limit, and half of it from twice as many connections on.
    Cliff,
}

/// Random databases under all of these.
pub(crate) fn held_out() -> Vec<Case> {
    let case = |name: &str, load, noise, bursts, delay, kind| Case {
        name: format!("{load}, {:.1} %{name}", 100.0 * noise),
        load,
        conditions: Conditions { noise, bursts },
        delay,
        kind,
    };
    let mut all = Vec::new();
    for noise in [0.015, 0.045, 0.09] {
        all.extend([0.7, 0.95, 1.2].map(|load| case("", load, noise, 0.0, 0, Kind::Steady)));
    }
    all.extend([
        case(", confirmed 2 windows late", 1.2, 0.045, 0.0, 2, Kind::Steady),
        case(", in waves, 1 window late", 1.1, 0.045, 0.0, 1, Kind::Wave),
        case(", bursts, 1 window late", 0.9, 0.045, 0.05, 1, Kind::Steady),
        case(", bursts and waves, 1 window late", 0.95, 0.045, 0.05, 1, Kind::Wave),
        case(", hard limit and cliff, 1 window late", 1.2, 0.045, 0.0, 1, Kind::Cliff),
        case(", clients that wait, 1 window late", 1.0, 0.045, 0.0, 1, Kind::Clients),
    ]);
    all
}

impl Case {
    /// The database, fleet and demand of one number.
    pub(crate) fn scenario(&self, seed: u64, index: u32) -> Scenario {
        let mut dice = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003) + u64::from(index));
        let mut between = |low: f64, high: f64| low + (high - low) * dice.f64();
        let usl = Database {
            alone: 200.0,
            contention: 10_f64.powf(between(-3.0, -1.0)),
            coherency: 10_f64.powf(between(-4.5, -2.3)),
            limit: f64::INFINITY,
        };
        let cliff = Database { contention: 0.0, coherency: 0.0, limit: between(12.0, 70.0), ..usl };
        let database = if matches!(self.kind, Kind::Cliff) { cliff } else { usl };
        let pods = between(2.0, 9.0) as u32;
        let (phase, clients) = (between(0.0, TAU), between(200.0, 600.0).round());
        let rate = self.load * database.peak(BUDGET / pods * pods);
        let kind = self.kind;
        let wave = move |window: u32| 0.65 + 0.35 * (f64::from(window) / f64::from(WINDOWS) * TAU + phase).sin();
        Scenario {
            name: self.name.clone(),
            pods,
            windows: WINDOWS,
            conditions: self.conditions,
            delay: self.delay,
            database: Box::new(move |_| database),
            demand: Box::new(move |window| match kind {
                Kind::Steady | Kind::Cliff => Demand::Open(rate),
                Kind::Wave => Demand::Open(rate * wave(window)),
                Kind::Clients => Demand::Closed(clients),
            }),
        }
    }
}
