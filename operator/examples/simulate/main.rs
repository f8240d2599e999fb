//! Prints how laws for the size of a database pool compare on simulated databases: the tables of `docs/pool-tuning.md`.
//!
//! ```sh
//! cargo run -p farmlokal-operator --example simulate        # held-out databases of seed 31
//! cargo run -p farmlokal-operator --example simulate -- 2   # of another seed
//! ```
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

mod database;
mod laws;
mod scenario;
mod world;

use laws::{Law, all};
use scenario::{Scenario, held_out, known};

/// Databases of a held-out row.
const DATABASES: u32 = 80;

fn main() {
    let seed = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(31);
    println!("Percent of the best possible throughput (changes of size)\n");
    heading("scenario");
    for scenario in known() {
        row(&scenario.name, |law| {
            let outcome = scenario.run(&mut *law(), seed);
            format!("{:.1} ({})", 100.0 * outcome.achieved, outcome.changes)
        });
    }
    println!("\nThe same on {DATABASES} random databases of seed {seed}: mean / tenth percentile (mean changes)\n");
    heading("load, noise, what else");
    for case in held_out() {
        row(&case.name, |law| {
            let databases: Vec<Scenario> = (0..DATABASES).map(|index| case.scenario(seed, index)).collect();
            let runs = databases.iter().zip(0_u64..);
            let outcomes: Vec<_> = runs.map(|(it, index)| it.run(&mut *law(), seed * 1000 + index)).collect();
            let mut achieved: Vec<f64> = outcomes.iter().map(|it| 100.0 * it.achieved).collect();
            achieved.sort_by(f64::total_cmp);
            let mean = achieved.iter().sum::<f64>() / f64::from(DATABASES);
            let changes = outcomes.iter().map(|it| it.changes).sum::<u32>() / DATABASES;
            format!("{mean:.1} / {:.1} ({changes})", achieved[DATABASES as usize / 10])
        });
    }
}

fn heading(first: &str) {
    let names: Vec<_> = all().iter().map(|(name, _)| *name).collect();
    println!("| {first} | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(names.len()));
}

fn row(name: &str, cell: impl Fn(fn() -> Box<dyn Law>) -> String) {
    let cells: Vec<_> = all().iter().map(|(_, law)| cell(*law)).collect();
    println!("| {name} | {} |", cells.join(" | "));
}
