//! `farmlokal serve`: migrate and seed the embedded database, then serve until told to end.

use std::time::Duration;

use farmlokal_catalog::store;
use farmlokal_seed::Plan;
use farmlokal_telemetry::{Kind, Root, propagation};
use tokio::signal::unix::{SignalKind, signal as on_signal};

use super::{CommandError, Outcome, database_error, print, seed, wait};
use crate::app::{self, App};
use crate::cli::Serve;
use crate::config::Config;
use crate::oauth::Credentials;

/// The seed of the embedded database: everybody sees the same products.
const SEED: u64 = 42;
const BATCH: u64 = 10_000;

pub(super) async fn run(config: Config, options: Serve) -> Result<Outcome, CommandError> {
    let root = Root::begin(Kind::Internal, &propagation::inherited(), None).called("farmlokal start");
    let Some(app) = root.run(start(&config, &options)).await? else { return Ok(Outcome::Interrupted) };
    drop(root);
    print(&welcome(&config, &app));
    let drain_delay = match signal().await {
        // A person at the keyboard does not want to wait; a load balancer needs to.
        Signal::Interrupt => Duration::ZERO,
        Signal::Terminate => config.http.drain_delay,
    };
    tracing::info!("ending: no new requests after {drain_delay:?}");
    app.shut_down(drain_delay).await;
    tracing::info!("ended");
    Ok(Outcome::Done)
}

/// From nothing to open ports; `None` when told to end before that.
async fn start(config: &Config, options: &Serve) -> Result<Option<App>, CommandError> {
    wait(config, &options.common).await?;
    if !config.database.embedded {
        return Ok(Some(app::start(config).await?));
    }
    store::migrate(&config.database.url).await.map_err(|error| database_error(config, error))?;
    // The search index is built while the products are seeded.
    let opened = app::open(config, app::clock()).await?;
    let rows = options.rows.unwrap_or(config.seed_rows);
    match seed::fill_if_empty(config, Plan { rows, batch: BATCH, seed: SEED }).await {
        Ok(Outcome::Done) => Ok(Some(opened.serve().await?)),
        Ok(Outcome::Interrupted) => {
            opened.close().await;
            Ok(None)
        }
        Err(error) => {
            opened.close().await;
            Err(error)
        }
    }
}

fn welcome(config: &Config, app: &App) -> String {
    let (address, admin) = (app.address, app.admin_address);
    format!(
        "FarmLokal {version} serves {url}\n\
         \n\
         \x20 Swagger UI   http://{address}/docs\n\
         \x20 Products     http://{address}/v1/products?category=Dairy&sort=-price\n\
         \x20 Readiness    http://{admin}/readyz\n\
         \x20 Metrics      http://{admin}/metrics\n\
         \x20 Traces       http://{admin}/admin/traces\n\
         \n\
         {demo}Ctrl-C ends it.\n",
        version = env!("CARGO_PKG_VERSION"),
        url = config.database.url,
        demo = app.demo.as_ref().map(|demo| demo_lines(demo, config)).unwrap_or_default(),
    )
}

/// The one place where the demo client's secret is shown; it is another one at each start.
fn demo_lines(Credentials { id, secret }: &Credentials, config: &Config) -> String {
    let minutes = config.oauth.token_lifetime.as_secs() / 60;
    format!(
        "To write, use Authorize in the Swagger UI, or a token of `farmlokal token` (good for {minutes} minutes):\n\
         \n\
         \x20 client_id      {id}\n\
         \x20 client_secret  {}\n\
         \n",
        secret.expose()
    )
}

/// Why the process is to end.
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// Waits for the first of them.
pub(super) async fn signal() -> Signal {
    let Ok(mut terminate) = on_signal(SignalKind::terminate()) else {
        // Without a handler the system ends the process by itself.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => Signal::Terminate,
        _ = tokio::signal::ctrl_c() => Signal::Interrupt,
    }
}
