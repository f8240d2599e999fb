//! Wires the parts of the service together; the only file that knows them all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use farmlokal_catalog::projection::Projection;
use farmlokal_catalog::store::{self, Listeners, Options, Store, StoreError};
use farmlokal_catalog::{Catalogue, CursorKey};
use farmlokal_telemetry::metrics::{Metrics, MetricsError, OtlpError, exporter};
use farmlokal_telemetry::resource::resource;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, Readiness};
use crate::api::problem::Problem;
use crate::api::{self, Context};
use crate::cache::Cache;
use crate::cache::relay::Relay;
use crate::clock::Clock;
use crate::config::Config;
use crate::housekeeping::{self, Retention};
use crate::log_traces::LogTraces;
use crate::metrics::{self, Background, Sampler, StoreObserver};
use crate::oauth::{Credentials, OAuthError};
use crate::redis::{LinkError, Redis};
use crate::server::{self, Limits, Shutdown};
use crate::subscriptions::{Guard, SystemResolver};
use crate::suppliers;
use parts::{guards, listen, local, open_oauth, open_suppliers, subscriptions, tuner, webhooks};

mod parts;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or not ours to take.
    #[error("cannot listen on {address} ({key}): {source}; choose another address or end what listens there")]
    Listen {
        /// The configuration's key.
        key: &'static str,
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The Redis in the configuration cannot be used.
    #[error("redis.url: {0}")]
    Redis(#[from] LinkError),
    /// The database cannot be opened.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// Access tokens cannot be served.
    #[error("access tokens: {0}")]
    OAuth(#[from] OAuthError),
    /// Metrics cannot be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Metrics cannot be pushed to where the environment says.
    #[error(transparent)]
    Otlp(#[from] OtlpError),
}

/// A running service.
pub struct App {
    /// Where the public API listens.
    pub address: SocketAddr,
    /// Where the admin port listens.
    pub admin_address: SocketAddr,
    /// The demo client of an embedded instance.
    pub demo: Option<Credentials>,
    metrics: Metrics,
    store: Arc<dyn Store>,
    /// What goes on beside requests: it follows the log, takes events in, pulls, tells, forgets.
    workers: TaskTracker,
    draining: Arc<AtomicBool>,
    stop: CancellationToken,
    stop_admin: CancellationToken,
    public: JoinHandle<()>,
    admin: JoinHandle<()>,
}

/// A service that does not listen yet: its database is open, and its search index is being built or follows it.
pub struct Opened<'a> {
    config: &'a Config,
    clock: Clock,
    redis: Option<Arc<Redis>>,
    metrics: Metrics,
    cache: Arc<Cache<Problem>>,
    store: Arc<dyn Store>,
    projection: Arc<Projection>,
    workers: TaskTracker,
    stop: CancellationToken,
}

/// Starts the service on its ports. The tables must be there.
pub async fn start(config: &Config) -> Result<App, StartError> {
    start_at(config, clock()).await
}

/// The system's clock.
pub fn clock() -> Clock {
    Arc::new(|| Utc::now().into())
}

/// The same with a clock of the caller's.
pub async fn start_at(config: &Config, clock: Clock) -> Result<App, StartError> {
    open(config, clock).await?.serve().await
}

/// Opens the database, whose tables must be there, and begins with the search index.
pub async fn open(config: &Config, clock: Clock) -> Result<Opened<'_>, StartError> {
    let redis = config.redis.url.as_ref().map(|url| Redis::open(url, config.redis.timeout)).transpose()?.map(Arc::new);
    let metrics = Metrics::new(resource("farmlokal", env!("CARGO_PKG_VERSION")), exporter()?)?;
    let cache = Cache::new(config.cache.settings.clone(), Arc::clone(&clock));
    let database = &config.database;
    let listeners = Listeners::default().with(Arc::clone(&cache) as _);
    let observer = Arc::new(StoreObserver::new(&metrics, database.url.engine()));
    let options = Options { listeners, observer, ..database.options.clone() };
    store::trace::carry_by(LogTraces);
    let store = store::open(&database.url, database.replica_url.as_ref(), &options).await?;
    let projection = Projection::new(Arc::clone(&store), config.search.dir.clone());
    let (workers, stop) = (TaskTracker::new(), CancellationToken::new());
    workers.spawn(Arc::clone(&projection).run(stop.clone()));
    Ok(Opened { config, clock, redis, metrics, cache, store, projection, workers, stop })
}

impl Opened<'_> {
    /// Ends what was begun.
    pub async fn close(self) {
        self.stop.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.store.close().await;
    }

    /// Starts the rest of the service on its ports.
    pub async fn serve(self) -> Result<App, StartError> {
        let Self { config, clock, redis, metrics, cache, store, projection, workers, stop } = self;
        let database = &config.database;
        let listener = listen("http.listen", config.http.listen).await?;
        let admin_listener = listen("admin.listen", config.admin_listen).await?;
        let address = local(&listener, config.http.listen);
        let admin_address = local(&admin_listener, config.admin_listen);
        let cursors = CursorKey::new(config.http.cursor_secret.expose().as_bytes());
        let catalogue = Catalogue::new(Arc::clone(&store), Arc::clone(&projection));
        let (intake, worker) = webhooks(&config.webhooks, &store, redis.clone(), &clock);
        let (oauth, demo) = open_oauth(config, &store, address, &clock).await?;
        let guards = guards(&config.limits, redis.clone(), &metrics);
        let suppliers = Arc::new(open_suppliers(config, redis.as_ref(), &clock));
        let tuner = tuner(database, &store, &clock);
        let stop_admin = CancellationToken::new();
        let pulling = suppliers::run(Arc::clone(&suppliers), catalogue.clone(), Arc::clone(&clock), stop.clone());
        let relay = Relay::new(Arc::clone(&cache), Arc::clone(&store), redis.clone());
        let guard = Guard::new(config.subscriptions.rules.clone(), Arc::new(SystemResolver));
        let (fan_out, courier) = subscriptions(&config.subscriptions, &store, &clock, guard.clone());
        let backlog = Sampler::default();
        let context = Context {
            catalogue,
            cursors,
            cache: Arc::clone(&cache),
            client_caching: config.cache.client,
            clock: Arc::clone(&clock),
            intake,
            oauth,
            suppliers,
            guard,
            counts: Arc::default(),
        };
        let background = Background {
            store: Arc::clone(&store),
            tuner: tuner.clone(),
            redis,
            applied: worker.applied(),
            tries: courier.tries(),
            backlog: backlog.clone(),
        };
        metrics::watch(&metrics, &context, &guards, background);

        let limits = Limits {
            max_connections: config.http.max_connections,
            header_timeout: config.http.header_timeout,
            shutdown_timeout: config.http.shutdown_timeout,
        };
        let draining = Arc::new(AtomicBool::new(false));
        let shutdown = Shutdown { draining: Arc::clone(&draining), stop: stop.clone() };
        let public = server::serve(listener, api::endpoint(context, guards, config), limits.clone(), shutdown);

        let readiness = Readiness {
            draining: Arc::clone(&draining),
            store: Arc::clone(&store),
            projection,
            waits_for_index: Arc::new(AtomicBool::new(config.search.readiness_waits)),
        };
        workers.spawn(backlog.run(Arc::clone(&store), stop.clone()));
        workers.spawn(relay.run(stop.clone()));
        workers.spawn(worker.run(stop.clone()));
        if let Some(tuner) = tuner.clone() {
            workers.spawn(tuner.run(stop.clone()));
        }
        workers.spawn(pulling);
        workers.spawn(fan_out.run(stop.clone()));
        workers.spawn(courier.run(stop.clone()));
        let retention = Retention { events: config.webhooks.retention, deliveries: config.subscriptions.retention };
        workers.spawn(housekeeping::run(Arc::clone(&store), clock, retention, stop.clone()));
        let shutdown = Shutdown { draining: Arc::default(), stop: stop_admin.clone() };
        let admin = admin::endpoint(readiness, cache, tuner, metrics.clone());
        let admin = server::serve(admin_listener, admin, limits, shutdown);

        Ok(App {
            address,
            admin_address,
            demo,
            metrics,
            store,
            workers,
            draining,
            stop,
            stop_admin,
            public: tokio::spawn(public),
            admin: tokio::spawn(admin),
        })
    }
}

impl App {
    /// Ends the service so that no request is lost: readiness says no and connections are given up one
    /// by one for `drain_delay`; then the listener closes and requests under way end; the admin port
    /// and the database come last.
    pub async fn shut_down(self, drain_delay: std::time::Duration) {
        self.draining.store(true, Ordering::Relaxed);
        tokio::time::sleep(drain_delay).await;
        self.stop.cancel();
        // A panic in the accept loop has ended it already; there is nothing left to wait for.
        let _ = self.public.await;
        self.workers.close();
        self.workers.wait().await;
        self.stop_admin.cancel();
        let _ = self.admin.await;
        self.store.close().await;
        // Waits for whoever the metrics are pushed to, but not for ever. A panic there loses the last of them.
        let _ = tokio::task::spawn_blocking(move || self.metrics.shut_down()).await;
    }
}
