//! The command line: what it takes, and what it does with it.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use farmlokal_catalog::store::{self, DatabaseUrl};
use farmlokal_seed::measured::Measured;
use farmlokal_seed::{Plan, Report, SeedError, progress, run};
use farmlokal_telemetry::log::Format;
use farmlokal_telemetry::metrics::{Metrics, MetricsError, OtlpError, exporter};
use farmlokal_telemetry::resource::resource;
use farmlokal_telemetry::{Kind, Root, Settings, StartError, Telemetry, propagation};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// How long the last traces may take to be sent.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// Fills an empty FarmLokal database with generated products, the same ones for the same seed.
///
/// Interrupted, it goes on at the next start with the same values.
#[derive(clap::Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Products there are to be in the end.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    rows: u64,
    /// Products a transaction.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    batch: u64,
    /// Another seed, other products.
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// sqlite:path/to/file.db or mysql://user:password@host:port/database
    #[arg(long, env = "FARMLOKAL_DATABASE__URL", hide_env_values = true, default_value = "sqlite:./data/farmlokal.db")]
    // Text, for clap would repeat a wrong URL, password and all.
    database: String,
    /// Seconds to wait for the database server to come up.
    #[arg(long, default_value_t = 0)]
    wait_for: u64,
}

/// Migrates and seeds, and says how it went: 0, 1, or 130 if it was interrupted.
pub(crate) fn main(arguments: &Arguments) -> ExitCode {
    let result = start_telemetry().map_err(Failure::from).and_then(|telemetry| {
        let runtime = tokio::runtime::Runtime::new().map_err(Failure::Runtime)?;
        let root = Root::begin(Kind::Internal, &propagation::inherited(), None).called("farmlokal-seed");
        let result = runtime.block_on(root.run(seed(arguments)));
        drop(root);
        // A thread may still wait for another seeding's lock.
        runtime.shutdown_background();
        telemetry.shut_down(FLUSH_WITHIN);
        result
    });
    // Nobody may listen any more; the code says it too.
    let _ = match &result {
        Ok(report) => writeln!(std::io::stdout(), "{report}"),
        Err(failure) => writeln!(std::io::stderr(), "farmlokal-seed: {failure}"),
    };
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(Failure::Seed(SeedError::Stopped)) => INTERRUPTED.into(),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Why the program failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    #[error("cannot start: {0}")]
    Telemetry(#[from] StartError),
    #[error("--database {0}")]
    Url(store::StoreError),
    #[error("{0}")]
    Store(#[from] store::StoreError),
    #[error("{0}")]
    Seed(#[from] SeedError),
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    #[error(transparent)]
    Otlp(#[from] OtlpError),
}

async fn seed(arguments: &Arguments) -> Result<Report, Failure> {
    let database: &DatabaseUrl = &arguments.database.parse().map_err(Failure::Url)?;
    let plan = Plan { rows: arguments.rows, batch: arguments.batch, seed: arguments.seed };
    let stop = CancellationToken::new();
    tokio::spawn(cancel_when_asked(stop.clone()));
    let migrated = stop.run_until_cancelled(async {
        store::wait_for(database, Duration::from_secs(arguments.wait_for)).await?;
        store::migrate(database).await
    });
    migrated.await.unwrap_or(Ok(()))?;
    let metrics = Metrics::new(resource("farmlokal-seed", env!("CARGO_PKG_VERSION")), exporter()?)?;
    let report = run(database, plan, &Measured::new(progress::for_stderr(), &metrics), &stop).await;
    // Waits for whoever they are pushed to, but not for ever. A panic there loses the last of them.
    let _ = tokio::task::spawn_blocking(move || metrics.shut_down()).await;
    Ok(report?)
}

/// Cancels at Ctrl-C, and at the signal a container is stopped with.
async fn cancel_when_asked(stop: CancellationToken) {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return stop.cancel();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
}

/// Logs to standard error: what `RUST_LOG` says, or else only warnings where a bar is shown.
fn start_telemetry() -> Result<Telemetry, StartError> {
    let level = if std::io::stderr().is_terminal() { LevelFilter::WARN } else { LevelFilter::INFO };
    let log = std::env::var("RUST_LOG").ok().and_then(|log| log.parse().ok()).unwrap_or_else(|| level.into());
    let (service, version) = ("farmlokal-seed", env!("CARGO_PKG_VERSION"));
    farmlokal_telemetry::start(Settings { service, version, log, format: Format::Auto, traces_per_second: 0 })
}
