//! The parts of the service that take more than a line to make.

use std::hash::{BuildHasher as _, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use farmlokal_catalog::store::{OAuthStore, Store};
use farmlokal_telemetry::metrics::Metrics;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::StartError;
use crate::api::{self, Guards};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::limits::{Limiter, Load};
use crate::metrics::Requests;
use crate::oauth::{Clients, Credentials, OAuth, OAuthError};
use crate::redis::Redis;
use crate::subscriptions::{Client, Courier, CourierOptions, FanOut, Guard, Schedule};
use crate::suppliers::Suppliers;
use crate::tuning::Tuner;
use crate::webhooks::{Backoff, Intake, Seen, Worker, WorkerOptions};

pub(super) fn guards(config: &config::Limits, redis: Option<Arc<Redis>>, metrics: &Metrics) -> Guards {
    Guards {
        limiter: Arc::new(Limiter::new(config.policies, redis)),
        load: Arc::new(Load::new(config.max_in_flight, config.max_queued, config.queue_timeout)),
        requests: Arc::new(Requests::new(metrics)),
    }
}

/// What takes events in, and what applies them.
pub(super) fn webhooks(
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
pub(super) async fn open_oauth(
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
pub(super) fn tuner(database: &config::Database, store: &Arc<dyn Store>, clock: &Clock) -> Option<Arc<Tuner>> {
    let file = database.tuning_file.clone()?;
    Some(Arc::new(Tuner::new(file, database.pod_uid.clone(), Arc::clone(store), Arc::clone(clock))))
}

pub(super) fn open_suppliers(config: &Config, redis: Option<&Arc<Redis>>, clock: &Clock) -> Suppliers {
    // Whoever waits for a supplier through us gets an answer before the request's own time is over.
    let clients_wait = config.http.request_timeout / 5 * 4;
    Suppliers::open(&config.suppliers, redis, clients_wait, clock)
}

/// What passes changes on to subscribers, and what carries them there.
pub(super) fn subscriptions(
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

pub(super) async fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { key, address, source })
}

pub(super) fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}
