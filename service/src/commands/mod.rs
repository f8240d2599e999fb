//! The commands, one file each.

mod ask;
mod client;
mod healthcheck;
mod key;
mod search;
mod seed;
mod serve;
mod token;
mod told;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::store::{self, OAuthStore, StoreError};
use farmlokal_telemetry::{Kind, Root, Settings, Telemetry, propagation};
use tokio_util::sync::CancellationToken;

use crate::api::document;
use crate::app::StartError;
use crate::cli::{Cli, Command, Common};
use crate::config::{self, Config, ConfigError, Log};
use crate::oauth::OAuthError;

/// How long the last traces may take to be sent. A collector that is away is no reason to stay.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// Why a command failed; each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database is away or not ours to use.
    #[error("database {0}: {1}")]
    Database(String, #[source] StoreError),
    /// The products could not be loaded.
    #[error("seeding: {0}")]
    Seed(#[from] farmlokal_seed::SeedError),
    /// The service did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The running service does not answer, or says no.
    #[error("{0}")]
    Refused(String),
    /// There is no such client, or no token.
    #[error("{0}")]
    Client(String),
    /// Clients or keys cannot be read or changed.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// There is no telemetry.
    #[error(transparent)]
    Telemetry(#[from] farmlokal_telemetry::StartError),
    /// The system refused something.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What a command came to.
enum Outcome {
    Done,
    /// Ended by Ctrl-C before it was done.
    Interrupted,
}

/// Runs the command that `cli` names.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        // What shells report of a process that SIGINT ended: 128 + 2.
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> Result<Outcome, CommandError> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Openapi => {
            print(&document::json());
            Ok(Outcome::Done)
        }
        Command::Config => {
            print(config::DEFAULTS);
            Ok(Outcome::Done)
        }
        Command::Serve(options) => with_config(&options.common, |config| serve::run(config, options.clone())),
        Command::Migrate(common) => traced(&common, "farmlokal migrate", |config| migrate(config, common.clone())),
        Command::Seed(options) => {
            traced(&options.common, "farmlokal seed", |config| seed::run(config, options.clone()))
        }
        Command::Search(options) => with_config(&options.common, |config| search::run(config, options.action)),
        Command::Client(options) => with_config(&options.common, |config| client::run(config, options.clone())),
        Command::Key(options) => with_config(&options.common, |config| key::run(config, options.clone())),
        Command::Token(options) => with_config(&options.common, |config| token::run(config, options.clone())),
        Command::Healthcheck(options) => with_config(&options.common, healthcheck::run),
    }
}

/// [`with_config`], as a part of the trace that started this process, if there is one.
fn traced<F, R>(common: &Common, name: &'static str, command: F) -> Result<Outcome, CommandError>
where
    F: FnOnce(Config) -> R,
    R: Future<Output = Result<Outcome, CommandError>>,
{
    with_config(common, async |config| {
        Root::begin(Kind::Internal, &propagation::inherited(), None).called(name).run(command(config)).await
    })
}

/// Loads the configuration, starts telemetry and a runtime, and runs `command` in it.
fn with_config<F, R>(common: &Common, command: F) -> Result<Outcome, CommandError>
where
    F: FnOnce(Config) -> R,
    R: Future<Output = Result<Outcome, CommandError>>,
{
    let config = config::load(common.config.as_deref())?;
    let telemetry = start_telemetry(&config.log)?;
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(command(config));
    // Whatever was still under way ends here, and with it the last spans.
    drop(runtime);
    telemetry.shut_down(FLUSH_WITHIN);
    outcome
}

async fn migrate(config: Config, common: Common) -> Result<Outcome, CommandError> {
    wait(&config, &common).await?;
    store::migrate(&config.database.url).await.map_err(|error| database_error(&config, error))?;
    tracing::info!(database = %config.database.url, "the tables are up to date");
    Ok(Outcome::Done)
}

/// Waits for the database server as long as the caller asked for.
async fn wait(config: &Config, common: &Common) -> Result<(), CommandError> {
    let patience = Duration::from_secs(common.wait_for);
    store::wait_for(&config.database.url, patience).await.map_err(|error| database_error(config, error))
}

/// The clients and keys in the configured database. The embedded one is migrated before, as at every start.
async fn oauth_store(config: &Config, common: &Common) -> Result<Arc<dyn OAuthStore>, CommandError> {
    wait(config, common).await?;
    let database = &config.database;
    let failed = |error| database_error(config, error);
    if database.embedded {
        store::migrate(&database.url).await.map_err(failed)?;
    }
    Ok(store::open(&database.url, None, &database.options).await.map_err(failed)?)
}

fn database_error(config: &Config, error: StoreError) -> CommandError {
    CommandError::Database(config.database.url.to_string(), error)
}

/// A token that Ctrl-C and SIGTERM cancel.
fn interruption() -> CancellationToken {
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        serve::signal().await;
        cancel.cancel();
    });
    token
}

fn start_telemetry(log: &Log) -> Result<Telemetry, farmlokal_telemetry::StartError> {
    farmlokal_telemetry::start(Settings {
        service: "farmlokal",
        version: env!("CARGO_PKG_VERSION"),
        log: log.filter.clone(),
        format: log.format,
        traces_per_second: log.traces_per_second,
    })
}

#[allow(clippy::print_stdout, reason = "what a command was asked to print")]
fn print(text: &str) {
    print!("{text}");
}

#[allow(clippy::print_stderr, reason = "the last word of a command that failed")]
fn complain(error: &CommandError) {
    eprintln!("farmlokal: {error}");
}
