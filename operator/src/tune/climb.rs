//! Where the measurements lead: up while that shortens the wait or pays in throughput, down where it costs nothing.

use super::decide::{Step, share};
use super::decision::Reason;
use super::elasticity::{self, CAPACITY, Point, Slope};
use super::observation::Observation;
use super::state::{Direction, Settings, State};

/// With fewer acquires a 95th percentile is one or two callers' luck.
const LEAST_ACQUIRES: u64 = 40;
/// Waiting is the pool's doing only when most of it is in use.
const BUSY: f64 = 0.8;
/// A pool as full as this all the time always had somebody waiting: its throughput is what its size achieves.
const FULL: f64 = 0.97;
/// The share of callers turned away that says so too: the demand is beyond the database, or beyond the pool.
const TURNED_AWAY: f64 = 0.005;
/// More connections are worth it above this elasticity: 15 % more of them for 1.2 % more throughput.
const GROW_ABOVE: f64 = 0.08;
/// Fewer are worth it below this one. Between the two nothing moves.
const SHRINK_BELOW: f64 = 0.05;
/// How many standard errors an elasticity must be clear of its threshold. Only half of one: a wrong step shows in the
/// windows that follow and costs little, waiting for certainty costs in each.
const CONFIDENCE: f64 = 0.5;
/// An elasticity less certain than this is looked into by a step to the side.
const UNCERTAIN: f64 = 0.15;
/// The usual step: two sizes 15 % apart can be told apart, and neither is far from the other's throughput.
const STEP: f64 = 0.15;
/// The step where more connections clearly pay or clearly hurt, and while no other size was seen.
const STRIDE: f64 = 0.3;
const CLEARLY_PAYS: f64 = 0.25;
const CLEARLY_HURTS: f64 = -0.3;
/// The step while throughput follows the connections: far from the peak.
const LEAP: f64 = 0.5;
const FAR_BELOW: f64 = 0.5;
/// Twice as many while it follows them nearly one for one, as TCP does at its start: the time a statement holds its
/// connection, connections / throughput, has not grown with them, so the database is not what callers wait for.
const DOUBLE: f64 = 1.0;
const ONE_FOR_ONE: f64 = 0.8;
/// A window so many standard deviations off is a surprise; so many in a row, and the database is another one.
const SURPRISE: f64 = 3.0;
const SURPRISES: u32 = 2;
/// The longest pause between two looks to the side, in windows.
const LONGEST_PAUSE: u32 = 16;
/// Half of the connections idle, and a quarter of the wait that is short enough: so they can go, after so many windows.
const IDLE: f64 = 0.5;
const IDLE_WAIT: f64 = 0.25;
const IDLE_WINDOWS: u32 = 5;
/// What stays at least when connections are given back.
const RELEASE: f64 = 0.8;

/// Judges a window in which the pods stood still and were seen.
pub(super) fn climb(state: &mut State, seen: &Observation, settings: &Settings) -> Step {
    let ladder = Ladder { size: state.pool_max * seen.pods, pods: seen.pods, settings };
    let used = seen.in_use / f64::from(ladder.size);
    if seen.acquires < LEAST_ACQUIRES || seen.wait_p95 <= settings.wait_target || used < BUSY {
        return release(state, seen, &ladder, used);
    }
    state.unused = 0;
    let turned_away = seen.turned_away as f64 > TURNED_AWAY * (seen.acquires + seen.turned_away) as f64;
    if !turned_away && used < FULL {
        // The demand is met, so throughput says nothing of the size: growth is what shortens the wait.
        return ladder.up(state, STEP, Reason::Waiting);
    }
    if seen.throughput <= 0.0 {
        return (None, Reason::Quiet);
    }
    if !learn(state, ladder.size, seen.throughput) {
        return (None, Reason::Surprised);
    }
    match slope(state, seen.pods) {
        Some(slope) => follow(state, &ladder, slope),
        None => look(state, &ladder, Direction::Up, STRIDE),
    }
}

/// Goes where the throughput is, or stays and now and then looks to the side.
fn follow(state: &mut State, ladder: &Ladder<'_>, Slope { elasticity, error }: Slope) -> Step {
    let margin = CONFIDENCE * error;
    if elasticity - margin > GROW_ABOVE {
        let step = match elasticity {
            it if it - margin > ONE_FOR_ONE => DOUBLE,
            it if it > FAR_BELOW => LEAP,
            it if it > CLEARLY_PAYS => STRIDE,
            _ => STEP,
        };
        (state.pause, state.next_pause) = (0, 1);
        return ladder.up(state, step, Reason::Pays);
    }
    if elasticity + margin < SHRINK_BELOW {
        (state.pause, state.next_pause) = (0, 1);
        let step = if elasticity < CLEARLY_HURTS { STRIDE } else { STEP };
        return (ladder.to(1.0 - step), Reason::Saturated);
    }
    if state.pause > 0 {
        state.pause -= 1;
        return (None, Reason::Settled);
    }
    if error <= UNCERTAIN {
        return (None, Reason::Settled);
    }
    state.direction = state.direction.turned();
    state.pause = state.next_pause.max(1);
    state.next_pause = (state.pause * 2).min(LONGEST_PAUSE);
    look(state, ladder, state.direction, STEP)
}

/// A step whose only purpose is to learn, to the other side where the bounds are in the way.
fn look(state: &State, ladder: &Ladder<'_>, direction: Direction, step: f64) -> Step {
    let up = || if state.cooldown > 0 { None } else { ladder.to(1.0 + step) };
    let down = || ladder.to(1.0 - step);
    let to = match direction {
        Direction::Up => up().or_else(down),
        Direction::Down => down().or_else(up),
    };
    (to, Reason::Unknown)
}

/// Remembers a window in which the pool was full. False when it is not at all what the ones before let expect: that is
/// looked at again, and what was an accident is not remembered; what comes twice makes all before it void.
fn learn(state: &mut State, connections: u32, throughput: f64) -> bool {
    // Only where the window before had the same size: elsewhere it is the curve that is not straight.
    let again = state.points.first().is_some_and(|it| it.connections == connections);
    let surprise = again
        && elasticity::fit(&state.points, connections).is_some_and(|line| {
            // One window alone is no experience that could be contradicted.
            line.weight > 1.0 && (throughput.ln() - line.expected).abs() > SURPRISE * line.spread
        });
    state.surprises = if surprise { state.surprises + 1 } else { 0 };
    if surprise && state.surprises < SURPRISES {
        return false;
    }
    if surprise {
        state.points.clear();
        (state.surprises, state.pause, state.next_pause) = (0, 0, 1);
    }
    state.points.insert(0, Point { connections, throughput });
    state.points.truncate(CAPACITY);
    true
}

/// The elasticity at the present size.
pub(super) fn slope(state: &State, pods: u32) -> Option<Slope> {
    elasticity::fit(&state.points, state.pool_max.saturating_mul(pods))?.slope
}

/// Gives back what has not been needed for long.
fn release(state: &mut State, seen: &Observation, ladder: &Ladder<'_>, used: f64) -> Step {
    // Where hardly anybody comes, how long they wait is luck; how much is in use is not.
    let quiet = seen.acquires < LEAST_ACQUIRES;
    let stay = if quiet { Reason::Quiet } else { Reason::Content };
    if used >= IDLE || !quiet && seen.wait_p95 > IDLE_WAIT * ladder.settings.wait_target {
        state.unused = 0;
        return (None, stay);
    }
    state.unused = (state.unused + 1).min(IDLE_WINDOWS);
    if state.unused < IDLE_WINDOWS {
        return (None, stay);
    }
    // Square-root staffing: the mean in use, and twice its square root for the ups and downs.
    let mean = seen.in_use / f64::from(seen.pods);
    let enough = (mean + 2.0 * mean.sqrt() + 1.0).ceil() as u32 * seen.pods;
    if enough >= ladder.size {
        return (None, stay);
    }
    (ladder.to(RELEASE.max(f64::from(enough) / f64::from(ladder.size))), Reason::Unused)
}

/// The sizes that can be had: multiples of the pods, within the bounds.
struct Ladder<'a> {
    size: u32,
    pods: u32,
    settings: &'a Settings,
}

impl Ladder<'_> {
    /// The size nearest to `factor` times this one, and another than it; `None` where the bounds forbid that.
    fn to(&self, factor: f64) -> Option<u32> {
        let wished = (f64::from(self.size) * factor / f64::from(self.pods)).round() as u32 * self.pods;
        let wished = match factor > 1.0 {
            true => wished.max(self.size + self.pods),
            false => wished.min(self.size - self.pods),
        };
        let to = share(wished, self.pods, self.settings) * self.pods;
        (to != self.size).then_some(to)
    }

    fn up(&self, state: &State, step: f64, reason: Reason) -> Step {
        if state.cooldown > 0 {
            return (None, Reason::CoolingDown);
        }
        match self.to(1.0 + step) {
            Some(to) => (Some(to), reason),
            None => (None, Reason::Exhausted),
        }
    }
}
