//! The seeding, by the same code as `farmlokal-seed`, timed.

use std::any::Any;
use std::time::Duration;

use farmlokal_catalog::store::{self, DatabaseUrl};
use farmlokal_seed::progress::Progress;
use farmlokal_seed::{Plan, run};
use tokio_util::sync::CancellationToken;

use super::draw::SEED;

const BATCH: u64 = 10_000;

/// How long a database took to be filled.
#[derive(Clone, Copy)]
pub(super) struct Filled {
    /// For the rows.
    pub(super) rows: Duration,
    /// For indexes and statistics.
    pub(super) indexes: Duration,
}

/// A filled database, and what it can be compared with.
pub(super) struct Database {
    pub(super) url: String,
    /// Which engine, and how it is set up.
    pub(super) about: String,
    /// How long the seeding took.
    pub(super) seeded: Filled,
    /// How long the engine itself took for the same rows from a file.
    pub(super) imported: Filled,
    /// The directory or server it lives in, held for its destructor.
    pub(super) _home: Box<dyn Any>,
}

impl Filled {
    pub(super) fn total(self) -> Duration {
        self.rows + self.indexes
    }
}

/// Migrates and seeds the database at `url`.
pub(super) async fn seed(url: &str, rows: u64) -> Result<Filled, String> {
    let url: DatabaseUrl = url.parse().map_err(told)?;
    store::migrate(&url).await.map_err(told)?;
    let plan = Plan { rows, batch: BATCH, seed: SEED };
    let report = run(&url, plan, &Lines { rows }, &CancellationToken::new()).await.map_err(told)?;
    let indexes = report.building.ok_or("the database was seeded before")?;
    Ok(Filled { rows: report.loading, indexes })
}

/// A line a step, and one for each fifth of the rows.
struct Lines {
    rows: u64,
}

impl Progress for Lines {
    fn waiting(&self) {}

    fn begin(&self, _found: u64, _wanted: u64) {}

    fn loaded(&self, rows: u64) {
        let fifth = |rows: u64| rows * 5 / self.rows.max(1);
        if fifth(rows) > fifth(rows.saturating_sub(BATCH)) {
            println!("    {rows} of {} products", self.rows);
        }
    }

    fn step(&self, name: &str, number: usize, of: usize) {
        println!("    {name} ({number} of {of})");
    }

    fn end(&self) {}
}

fn told(error: impl std::error::Error) -> String {
    error.to_string()
}
