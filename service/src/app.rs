//! Wires the parts of the service together; the only file that knows them all.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use farmlokal_catalog::projection::Projection;
use farmlokal_catalog::store::{self, Listeners, OAuthStore, Options, Store, StoreError};
use farmlokal_catalog::{Catalogue, CursorKey};
use farmlokal_telemetry::metrics::{Metrics, MetricsError, OtlpError, exporter};
use farmlokal_telemetry::resource::resource;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, Readiness};
use crate::api::{self, Context, Guards};
use crate::cache::Cache;
use crate::cache::relay::Relay;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::housekeeping::{self, Retention};
use crate::limits::{Limiter, Load};
use crate::log_traces::LogTraces;
use crate::metrics::{self, Background, Requests, Sampler, StoreObserver};
use crate::oauth::{Clients, Credentials, OAuth, OAuthError};
use crate::redis::{LinkError, Redis};
use crate::server::{self, Limits, Shutdown};
use crate::subscriptions::{Client, Courier, CourierOptions, FanOut, Guard, Schedule, SystemResolver};
use crate::suppliers::{self, Suppliers};
use crate::tuning::Tuner;
use crate::webhooks::{Backoff, Intake, Seen, Worker, WorkerOptions};

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

/// Starts the service on its ports. The tables must be there.
pub async fn start(config: &Config) -> Result<App, StartError> {
    start_at(config, Arc::new(|| Utc::now().into())).await
}

/// The same with a clock of the caller's.
pub async fn start_at(config: &Config, clock: Clock) -> Result<App, StartError> {
    let listener = listen("http.listen", config.http.listen).await?;
    let admin_listener = listen("admin.listen", config.admin_listen).await?;
    let (address, admin_address) = (local(&listener, config.http.listen), local(&admin_listener, config.admin_listen));

    let redis = config.redis.url.as_ref().map(|url| Redis::open(url, config.redis.timeout)).transpose()?.map(Arc::new);
    let metrics = Metrics::new(resource("farmlokal", env!("CARGO_PKG_VERSION")), exporter()?)?;
    let cache = Cache::new(config.cache.settings.clone(), Arc::clone(&clock));
    let database = &config.database;
    let listeners = Listeners::default().with(Arc::clone(&cache) as _);
    let observer = Arc::new(StoreObserver::new(&metrics, database.url.engine()));
    let options = Options { listeners, observer, ..database.options.clone() };
    store::trace::carry_by(LogTraces);
    let store = store::open(&database.url, database.replica_url.as_ref(), &options).await?;
    let cursors = CursorKey::new(config.http.cursor_secret.expose().as_bytes());
    let projection = config.search_dir.clone().map(|dir| Projection::new(Arc::clone(&store), dir));
    let catalogue = Catalogue::new(Arc::clone(&store), projection.clone());
    let (intake, worker) = webhooks(&config.webhooks, &store, redis.clone(), &clock);
    let (oauth, demo) = open_oauth(config, &store, address, &clock).await?;
    let guards = guards(&config.limits, redis.clone(), &metrics);
    let suppliers = Arc::new(open_suppliers(config, redis.as_ref(), &clock));
    let tuner = tuner(database, &store, &clock);
    let (stop, stop_admin) = (CancellationToken::new(), CancellationToken::new());
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

    let readiness = Readiness { draining: Arc::clone(&draining), store: Arc::clone(&store) };
    let workers = TaskTracker::new();
    workers.spawn(backlog.run(Arc::clone(&store), stop.clone()));
    workers.spawn(relay.run(stop.clone()));
    if let Some(projection) = projection.clone() {
        workers.spawn(projection.run(stop.clone()));
    }
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
    let admin = admin::endpoint(readiness, projection, cache, tuner, metrics.clone());
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

fn guards(config: &config::Limits, redis: Option<Arc<Redis>>, metrics: &Metrics) -> Guards {
    Guards {
        limiter: Arc::new(Limiter::new(config.policies, redis)),
        load: Arc::new(Load::new(config.max_in_flight, config.max_queued, config.queue_timeout)),
        requests: Arc::new(Requests::new(metrics)),
    }
}

/// What takes events in, and what applies them.
fn webhooks(
    config: &config::Webhooks,
    store: &Arc<dyn Store>,
    redis: Option<Arc<Redis>>,
    clock: &Clock,
) -> (Intake, Worker) {
    let wake = Arc::new(Notify::new());
    let inbox = Arc::<dyn Store>::clone(store);
    let intake = Intake::new(config.sources.clone(), inbox, redis.map(Seen::new), Arc::clone(&wake));
    let backoff = Backoff {
        first: config.retry_first,
        longest: config.retry_longest,
        attempts: config.max_attempts,
        seed: seed(),
    };
    let options = WorkerOptions { concurrency: config.concurrency, poll: config.poll, backoff };
    (intake, Worker::new(Arc::<dyn Store>::clone(store), Arc::clone(clock), wake, options))
}

/// Access tokens, and the demo client if the database is the embedded one.
async fn open_oauth(
    config: &Config,
    store: &Arc<dyn Store>,
    address: SocketAddr,
    clock: &Clock,
) -> Result<(Arc<OAuth>, Option<Credentials>), OAuthError> {
    let store: Arc<dyn OAuthStore> = Arc::<dyn Store>::clone(store);
    let mut clients = Clients::new(Arc::clone(&store))?;
    let demo = if config.database.embedded { Some(clients.add_demo(clock()).await?) } else { None };
    let issuer = config.oauth.issuer.clone().unwrap_or_else(|| format!("http://{address}"));
    Ok((Arc::new(OAuth::new(store, clients, &config.oauth, issuer, Arc::clone(clock))?), demo))
}

/// What follows the tuning file, if there is one.
fn tuner(database: &config::Database, store: &Arc<dyn Store>, clock: &Clock) -> Option<Arc<Tuner>> {
    let file = database.tuning_file.clone()?;
    Some(Arc::new(Tuner::new(file, database.pod_uid.clone(), Arc::clone(store), Arc::clone(clock))))
}

fn open_suppliers(config: &Config, redis: Option<&Arc<Redis>>, clock: &Clock) -> Suppliers {
    // Whoever waits for a supplier through us gets an answer before the request's own time is over.
    let clients_wait = config.http.request_timeout / 5 * 4;
    Suppliers::open(&config.suppliers, redis, clients_wait, clock)
}

/// What passes changes on to subscribers, and what carries them there.
fn subscriptions(
    config: &config::Subscriptions,
    store: &Arc<dyn Store>,
    clock: &Clock,
    guard: Guard,
) -> (FanOut, Courier) {
    let wake = Arc::new(Notify::new());
    let client = Client::new(guard, config.timeout);
    let options = CourierOptions {
        concurrency: config.concurrency,
        per_receiver: config.per_receiver,
        poll: config.poll,
        schedule: Schedule { delays: config.schedule.clone(), seed: seed() },
    };
    let [for_log, for_fan_out, for_courier] = [(); 3].map(|()| Arc::clone(store));
    let courier = Courier::new(for_courier, client, Arc::clone(clock), Arc::clone(&wake), options);
    let render = api::subscriptions::payload;
    (FanOut::new(for_log, for_fan_out, Arc::clone(clock), render, config.poll, wake), courier)
}

/// What chance depends on: another one in each process.
fn seed() -> u64 {
    RandomState::new().hash_one(())
}

async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { key, address, source })
}

fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}
