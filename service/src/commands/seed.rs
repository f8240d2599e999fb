//! `farmlokal seed`, and the seeding of the embedded database at its first start.

use farmlokal_catalog::store::bulk::{self, BulkError};
use farmlokal_catalog::store::{self, DatabaseUrl, StoreError};
use farmlokal_seed::measured::Measured;
use farmlokal_seed::{Plan, SeedError, progress};
use farmlokal_telemetry::metrics::{Metrics, exporter};
use farmlokal_telemetry::resource::resource;

use super::told::while_told;
use super::{CommandError, Outcome, database_error, interruption, print, wait};
use crate::app::StartError;
use crate::cli::Seed;
use crate::config::Config;

pub(super) async fn run(config: Config, options: Seed) -> Result<Outcome, CommandError> {
    wait(&config, &options.common).await?;
    let url = &config.database.url;
    store::migrate(url).await.map_err(|error| database_error(&config, error))?;
    let rows = options.rows.unwrap_or(config.seed_rows);
    fill(&config, Plan { rows, batch: options.batch, seed: options.seed }).await
}

/// Seeds an empty database as planned; goes on with a seeding that was interrupted, whatever its plan
/// was; leaves a database alone that holds anything else.
pub(super) async fn fill_if_empty(config: &Config, plan: Plan) -> Result<Outcome, CommandError> {
    let plan = match recorded(&config.database.url).await.map_err(|error| SeedError::Bulk(error.into()))? {
        Some(run) if run.finished => return Ok(Outcome::Done),
        Some(run) => Plan { rows: run.wanted, seed: run.seed, ..plan },
        None => plan,
    };
    match fill(config, plan).await {
        Err(CommandError::Seed(SeedError::Bulk(BulkError::NotEmpty))) => Ok(Outcome::Done),
        outcome => outcome,
    }
}

async fn recorded(url: &DatabaseUrl) -> Result<Option<bulk::SeedRun>, StoreError> {
    bulk::open(url).await?.recorded().await
}

async fn fill(config: &Config, plan: Plan) -> Result<Outcome, CommandError> {
    let metrics = Metrics::new(resource("farmlokal", env!("CARGO_PKG_VERSION")), exporter().map_err(StartError::from)?)
        .map_err(StartError::from)?;
    let progress = Measured::new(progress::for_stderr(), &metrics);
    let stop = interruption();
    let seeding = farmlokal_seed::run(&config.database.url, plan, &progress, &stop);
    let seeded = while_told(config.admin_listen, &metrics, seeding).await;
    // Waits for whoever they are pushed to, but not for ever. A panic there loses the last of them.
    let _ = tokio::task::spawn_blocking(move || metrics.shut_down()).await;
    match seeded {
        Ok(report) if plan.rows > 0 => {
            print(&format!("{report}\n"));
            Ok(Outcome::Done)
        }
        Ok(_) => Ok(Outcome::Done),
        Err(SeedError::Stopped) => {
            print(&format!("{}\n", SeedError::Stopped));
            Ok(Outcome::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}
