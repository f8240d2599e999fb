//! One seeding, from wherever the last one was interrupted to the end.

use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};

use farmlokal_catalog::Invalid;
use farmlokal_catalog::store::bulk::{self, BulkError, BulkLoad, BulkProduct};
use farmlokal_catalog::store::{DatabaseUrl, StoreError};
use indicatif::HumanCount;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::generator::Generator;
use crate::progress::Progress;

/// How long opening the database may take before it looks as if another seeding holds it.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// What is to be there in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Products; 0 for none, which leaves the database alone.
    pub rows: u64,
    /// Products a transaction; 0 counts as 1.
    pub batch: u64,
    /// The generator's seed.
    pub seed: u64,
}

/// What a seeding did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Products that are there now.
    pub rows: u64,
    /// Products an earlier seeding had left.
    pub found: u64,
    /// How long the products took.
    pub loading: Duration,
    /// How long indexes and statistics took; `None` if they were there.
    pub building: Option<Duration>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(building) = self.building else {
            return write!(f, "nothing to do: the {} products asked for are there", HumanCount(self.rows));
        };
        let written = self.rows - self.found;
        let rate = written as f64 / self.loading.as_secs_f64().max(0.001);
        write!(
            f,
            "{} products ({} before) in {:.1} s: {:.1} s for the rows ({}/s), {:.1} s for indexes and statistics",
            HumanCount(self.rows),
            HumanCount(self.found),
            (self.loading + building).as_secs_f64(),
            self.loading.as_secs_f64(),
            HumanCount(rate as u64),
            building.as_secs_f64(),
        )
    }
}

/// Why a seeding did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The database holds something else, or failed.
    #[error(transparent)]
    Bulk(#[from] BulkError),
    /// The generator made what no product can be: a bug of ours.
    #[error("the generator made a wrong product: {0}")]
    Generator(#[from] Invalid),
    /// The generator's thread died: a bug of ours.
    #[error("the generator broke: {0}")]
    Thread(#[from] JoinError),
    /// It was asked to stop.
    #[error("stopped; what is there is whole, and the next start with the same values goes on from there")]
    Stopped,
}

impl From<StoreError> for SeedError {
    fn from(error: StoreError) -> Self {
        Self::Bulk(error.into())
    }
}

/// Seeds the migrated database at `url` as planned, or goes on where an earlier seeding with the same
/// plan was interrupted. Waits for another seeding to end. Ends soon after `stop` is cancelled.
pub async fn run(
    url: &DatabaseUrl,
    plan: Plan,
    progress: &dyn Progress,
    stop: &CancellationToken,
) -> Result<Report, SeedError> {
    if plan.rows == 0 {
        return Ok(Report::default());
    }
    // Giving up may happen anywhere: whatever is under way, the database undoes it or has it whole.
    let result = stop.run_until_cancelled(seed(url, plan, progress)).await;
    progress.end();
    result.unwrap_or(Err(SeedError::Stopped))
}

async fn seed(url: &DatabaseUrl, plan: Plan, progress: &dyn Progress) -> Result<Report, SeedError> {
    let mut loader = open(url, progress).await?;
    let run = loader.begin(plan.seed, plan.rows).await?;
    let mut report = Report { rows: plan.rows, found: run.loaded, ..Report::default() };
    if run.finished {
        return Ok(report);
    }
    let start = Instant::now();
    progress.begin(run.loaded, plan.rows);
    load(&mut *loader, plan, run.loaded, progress).await?;
    report.loading = start.elapsed();
    loader.finish(&|name, number, of| progress.step(name, number, of)).await?;
    report.building = Some(start.elapsed() - report.loading);
    Ok(report)
}

async fn open(url: &DatabaseUrl, progress: &dyn Progress) -> Result<Box<dyn BulkLoad>, StoreError> {
    let mut opening = pin!(bulk::open(url));
    match tokio::time::timeout(OPENS_WITHIN, &mut opening).await {
        Ok(loader) => loader,
        Err(_) => {
            progress.waiting();
            opening.await
        }
    }
}

/// Writes what comes after the first `loaded` products; makes one batch while the database takes
/// the one before.
async fn load(
    loader: &mut dyn BulkLoad,
    plan: Plan,
    mut loaded: u64,
    progress: &dyn Progress,
) -> Result<(), SeedError> {
    let mut next = make(plan, loaded);
    while let Some(making) = next {
        let batch = making.await??;
        loaded += batch.len() as u64;
        next = make(plan, loaded);
        loader.load(&batch).await?;
        progress.loaded(loaded);
    }
    Ok(())
}

type Making = JoinHandle<Result<Vec<BulkProduct>, Invalid>>;

/// Starts to make the batch after the first `loaded` products, if there is one.
fn make(plan: Plan, loaded: u64) -> Option<Making> {
    let last = plan.rows.min(loaded.saturating_add(plan.batch.max(1)));
    let generator = Generator::new(plan.seed);
    (loaded < last).then(|| tokio::task::spawn_blocking(move || generator.products(loaded + 1, last)))
}
