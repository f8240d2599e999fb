//! The laws of `simulate` on a real MariaDB, in overload: each window is a burst of statements over as many connections
//! as the law says. Prints a table of `docs/pool-tuning.md`; wants `FARMLOKAL_TEST_MARIADB_URL`, as tests do.
//!
//! ```sh
//! cargo run -p farmlokal-operator --example mariadb
//! ```
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

#[path = "../simulate/database.rs"]
#[allow(dead_code, reason = "the simulated world's")]
mod database;
#[path = "../simulate/laws.rs"]
mod laws;
mod load;
#[path = "../simulate/world.rs"]
#[allow(dead_code, reason = "of the simulated world only the window is used")]
mod world;

use std::process::ExitCode;

use laws::{Bounds, Law, all};
use load::Load;

const WINDOWS: u32 = 60;
/// What counts as settled.
const SETTLED: u32 = 30;
const BOUNDS: Bounds = Bounds { pods: 4, least: 8, most: 160 };

/// One law's run.
struct Run {
    name: &'static str,
    law: Box<dyn Law>,
    size: u32,
    /// Seconds that the settled windows took, and connections they had, summed.
    seconds: f64,
    sizes: u32,
    changes: u32,
}

fn main() -> ExitCode {
    for load in Load::all() {
        if let Err(error) = compare(&load) {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// All laws take turns, window by window, so that they share the machine's moods.
fn compare(load: &Load) -> Result<(), String> {
    let in_bounds = |size: u32| (size / BOUNDS.pods * BOUNDS.pods).clamp(BOUNDS.least, BOUNDS.most);
    let begin = |(name, law): (_, fn() -> Box<dyn Law>)| {
        let law = law();
        Run { name, size: in_bounds(law.start()), law, seconds: 0.0, sizes: 0, changes: 0 }
    };
    let mut runs = all().map(begin);
    for index in 0..WINDOWS {
        for run in &mut runs {
            let window = load.window(run.size, BOUNDS.pods)?;
            if index >= WINDOWS - SETTLED {
                run.seconds += 1.0 / window.served;
                run.sizes += run.size;
            }
            let next = in_bounds(run.law.step(&window, run.size, &BOUNDS));
            run.changes += u32::from(next != run.size);
            run.size = next;
        }
    }
    println!("\n{}: statements a second in the last {SETTLED} of {WINDOWS} windows, connections, changes\n", load.name);
    for run in runs {
        let windows = f64::from(SETTLED);
        let (rate, size) = (windows / run.seconds, f64::from(run.sizes) / windows);
        println!("| {} | {rate:.0} | {size:.0} | {} |", run.name, run.changes);
    }
    Ok(())
}
