//! What passing the gate before a pool costs: in and out again, with no database behind it.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use farmlokal_catalog::store::gate::{Arrival, Gate};

use super::document::reached;
use super::results::Target;

/// How many the gate lets in, and how many wait where there is a queue.
const LIMIT: u32 = 8;
const WAITING: usize = 64;
const PASSES: u32 = 1_000_000;
/// Their median counts.
const ROUNDS: usize = 5;
const MOST_NANOSECONDS: f64 = 2_000.0;

/// Nanoseconds to go in and out again.
pub(super) struct Passes {
    alone: f64,
    queued: f64,
}

/// Measures both, and prints them.
pub(super) fn measure() -> Result<Passes, String> {
    println!("==> the gate");
    let (mut alone, mut queued) = ([0.0; ROUNDS], [0.0; ROUNDS]);
    for round in 0..ROUNDS {
        alone[round] = with_room()?;
        queued[round] = with_a_queue()?;
    }
    let passes = Passes { alone: median(alone), queued: median(queued) };
    println!("{:.0} ns alone, {:.0} ns with {WAITING} waiting", passes.alone, passes.queued);
    Ok(passes)
}

/// One caller, and always room.
fn with_room() -> Result<f64, String> {
    let gate = Gate::new(LIMIT, 0);
    let start = Instant::now();
    for _ in 0..PASSES {
        drop(gate.arrive().map_err(|error| error.to_string())?);
    }
    Ok(each(start))
}

/// One leaves, the first in the queue is called and comes, another one goes to its end. No task is woken: the scheduler
/// is not what is measured.
fn with_a_queue() -> Result<f64, String> {
    let gate = Gate::new(LIMIT, WAITING);
    let (mut inside, mut queue) = (VecDeque::new(), VecDeque::new());
    let arrive = || gate.arrive().map_err(|error| error.to_string());
    while queue.len() < WAITING {
        match arrive()? {
            Arrival::Inside(permit) => inside.push_back(permit),
            Arrival::Waits(turn) => queue.push_back(Box::pin(turn.come())),
        }
    }
    let start = Instant::now();
    for _ in 0..PASSES {
        drop(inside.pop_front());
        let called = queue.pop_front().map(|mut turn| turn.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        let Some(Poll::Ready(permit)) = called else { return Err("nobody was called".to_owned()) };
        inside.push_back(permit);
        let Arrival::Waits(turn) = arrive()? else { return Err("somebody was let in over the limit".to_owned()) };
        queue.push_back(Box::pin(turn.come()));
    }
    Ok(each(start))
}

fn each(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64 / f64::from(PASSES)
}

fn median(mut rounds: [f64; ROUNDS]) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

impl Passes {
    /// The section of the document.
    pub(super) fn section(&self) -> String {
        let Self { alone, queued } = self;
        let target = Target {
            what: "passing the gate before the pool takes less than 2 microseconds",
            is: format!("{alone:.0} ns alone, {queued:.0} ns with {WAITING} callers waiting"),
            reached: alone.max(*queued) < MOST_NANOSECONDS,
        };
        format!("\n## The pool's gate\n\n{}", reached(&[target]))
    }
}
