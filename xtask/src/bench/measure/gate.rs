//! What passing the gate before a pool costs: in and out again, with no database behind it.

use std::sync::Arc;
use std::time::Instant;

use farmlokal_catalog::store::gate::{Arrival, Gate};
use tokio::task::JoinSet;

use super::document::reached;
use super::results::Target;

/// Callers at once when there is a queue, and how many of them the gate lets in.
const CALLERS: u32 = 72;
const LIMIT: u32 = 8;
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
pub(super) async fn measure() -> Result<Passes, String> {
    println!("==> the gate");
    let (mut alone, mut queued) = ([0.0; ROUNDS], [0.0; ROUNDS]);
    for round in 0..ROUNDS {
        alone[round] = by_one()?;
        queued[round] = by_many().await?;
    }
    let passes = Passes { alone: median(alone), queued: median(queued) };
    println!("{:.0} ns alone, {:.0} ns with {} waiting", passes.alone, passes.queued, CALLERS - LIMIT);
    Ok(passes)
}

/// One caller, and always room.
fn by_one() -> Result<f64, String> {
    let gate = Gate::new(LIMIT, 0);
    let start = Instant::now();
    for _ in 0..PASSES {
        drop(gate.arrive().map_err(|error| error.to_string())?);
    }
    Ok(each(start))
}

/// Callers that go to the end of the queue as soon as they have left: the tasks' own turns are in the time too.
async fn by_many() -> Result<f64, String> {
    let gate = Gate::new(LIMIT, CALLERS as usize);
    let mut callers = JoinSet::new();
    let start = Instant::now();
    for _ in 0..CALLERS {
        let gate = Arc::clone(&gate);
        callers.spawn(async move {
            for _ in 0..PASSES / CALLERS {
                let permit = match gate.arrive().map_err(|error| error.to_string())? {
                    Arrival::Inside(permit) => permit,
                    Arrival::Waits(turn) => turn.come().await,
                };
                // Others come meanwhile, as they do while a database is asked.
                tokio::task::yield_now().await;
                drop(permit);
            }
            Ok::<_, String>(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done.map_err(|error| error.to_string())??;
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
            is: format!("{alone:.0} ns alone, {queued:.0} ns with {} callers waiting", CALLERS - LIMIT),
            reached: alone.max(*queued) < MOST_NANOSECONDS,
        };
        format!("\n## The pool's gate\n\n{}", reached(&[target]))
    }
}
