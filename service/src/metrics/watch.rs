//! Numbers that are read when metrics are collected: whatever the parts of the service keep anyway.

use std::sync::Arc;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::projection::{State, Status};
use farmlokal_catalog::store::{Pool, PoolStatus, Store};
use farmlokal_telemetry::metrics::table::{
    access, cache, database, process, search, subscriptions, suppliers, webhooks,
};
use farmlokal_telemetry::metrics::{Metric, Metrics, OTHER};

use super::Sampler;
use crate::api::problem::Problem;
use crate::api::{Context, Guards};
use crate::breaker;
use crate::cache::{Cache, Fill, Operation, Origin};
use crate::clock::Clock;
use crate::limits::Limiter;
use crate::redis::Redis;
use crate::subscriptions::Tried;
use crate::suppliers::{Supplier, Suppliers};
use crate::tally::{Counted, Tally};
use crate::tuning::Tuner;
use crate::webhooks::Applied;

/// The parts that work beside the operations.
pub struct Background {
    /// The pools of connections.
    pub store: Arc<dyn Store>,
    /// Who watches the tuning file, if there is one.
    pub tuner: Option<Arc<Tuner>>,
    /// Redis, if there is one.
    pub redis: Option<Arc<Redis>>,
    /// Events that were tried.
    pub applied: Arc<Tally<Applied>>,
    /// Deliveries that were tried.
    pub tries: Arc<Tally<Tried>>,
    /// What waits in the database.
    pub backlog: Sampler,
}

/// Has all that the operations in `context`, the `guards` before them and the `background` keep read whenever
/// `metrics` are collected.
pub fn watch(metrics: &Metrics, context: &Context, guards: &Guards, background: Background) {
    build(metrics);
    pools(metrics, &background);
    self::cache(metrics, &context.cache);
    self::search(metrics, context);
    tokens(metrics, context);
    load(metrics, guards);
    breakers(metrics, background.redis.as_ref(), &context.suppliers);
    events(metrics, context, &background);
    self::suppliers(metrics, &context.suppliers);
    waiting(metrics, background.backlog, Arc::clone(&context.clock));
}

/// Has the counts of `tally` read, which `part` holds.
fn tally<P: Send + Sync + 'static, K: Counted>(
    metrics: &Metrics,
    metric: &'static Metric,
    part: &Arc<P>,
    tally: fn(&P) -> &Tally<K>,
) {
    let part = Arc::clone(part);
    metrics.observe(metric, move |readings| {
        for kind in K::ALL {
            readings.put(tally(&part).get(*kind) as f64, &[kind.name()]);
        }
    });
}

/// Has a number without labels read, which `part` holds; `None` leaves it out.
fn number<P: Send + Sync + 'static>(
    metrics: &Metrics,
    metric: &'static Metric,
    part: &Arc<P>,
    read: impl Fn(&P) -> Option<f64> + Send + Sync + 'static,
) {
    let part = Arc::clone(part);
    metrics.observe(metric, move |readings| {
        if let Some(value) = read(&part) {
            readings.put(value, &[]);
        }
    });
}

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

fn build(metrics: &Metrics) {
    let labels = [env!("CARGO_PKG_VERSION"), option_env!("FARMLOKAL_REVISION").unwrap_or_default()];
    metrics.observe(&process::BUILD, move |readings| readings.put(1.0, &labels));
}

fn pools(metrics: &Metrics, parts: &Background) {
    let each = |metric, value: fn(&PoolStatus) -> f64| {
        let store = Arc::clone(&parts.store);
        metrics.observe(metric, move |readings| {
            store.pools().iter().for_each(|status| readings.put(value(status), &[status.pool.name()]));
        });
    };
    each(&database::IN_USE, |status| status.in_use_time.as_secs_f64());
    each(&database::MAX, |status| status.limit.into());
    each(&database::APPLIED, |status| status.applied.into());
    each(&database::PENDING, |status| status.waiting.into());
    let store = Arc::clone(&parts.store);
    metrics.observe(&database::COUNT, move |readings| {
        for status in store.pools() {
            let idle = status.open.saturating_sub(status.in_use);
            readings.put(idle.into(), &[status.pool.name(), "idle"]);
            readings.put(status.in_use.into(), &[status.pool.name(), "used"]);
        }
    });
    let tuner = parts.tuner.clone();
    metrics.observe(&database::GENERATION, move |readings| {
        let generation = tuner.as_ref().map_or(0, |tuner| tuner.status().generation);
        readings.put(generation as f64, &[Pool::Primary.name()]);
    });
}

fn cache(metrics: &Metrics, part: &Arc<Cache<Problem>>) {
    let counted = Arc::clone(part);
    metrics.observe(&cache::ANSWERS, move |readings| {
        for operation in Operation::ALL {
            for origin in Origin::ALL {
                let count = counted.stats().answers(operation, origin);
                readings.put(count as f64, &[operation.name(), origin.name()]);
            }
        }
    });
    let filled = Arc::clone(part);
    metrics.observe(&cache::FILLS, move |readings| {
        let stats = filled.stats();
        for fill in Fill::ALL {
            readings.put(stats.local_fills().get(*fill) as f64, &["local", fill.name()]);
            readings.put(stats.shared_fills().get(*fill) as f64, &["redis", fill.name()]);
        }
    });
    number(metrics, &cache::LOADS, part, |cache| Some(cache.stats().loads() as f64));
    number(metrics, &cache::REFRESHES, part, |cache| Some(cache.stats().refreshes() as f64));
    number(metrics, &cache::VOIDS, part, |cache| Some(cache.stats().voids() as f64));
    number(metrics, &cache::ENTRIES, part, |cache| Some(cache.local_size().0 as f64));
    number(metrics, &cache::SIZE, part, |cache| Some(cache.local_size().1 as f64));
    number(metrics, &cache::SHARED, part, |cache| Some(flag(cache.is_shared())));
    number(metrics, &cache::LIVE, part, |cache| Some(flag(cache.is_live())));
    number(metrics, &cache::LAG, part, |cache| Some(cache.lag()?.as_secs_f64()));
}

fn search(metrics: &Metrics, parts: &Context) {
    tally(metrics, &search::SEARCHES, &parts.counts, |counts| &counts.searches);
    let projection = parts.catalogue.projection();
    let each = |metric, value: fn(&Status) -> f64| {
        number(metrics, metric, projection, move |projection| Some(value(&projection.status())));
    };
    each(&search::READY, |status| flag(status.state == State::Ready));
    each(&search::DOCUMENTS, |status| status.documents as f64);
    each(&search::SIZE, |status| status.bytes as f64);
    each(&search::LAG_ROWS, |status| status.lag_rows as f64);
    each(&search::LAG, |status| status.lag_seconds);
    each(&search::BUILT, |status| status.build.built as f64);
    each(&search::BUILD_DURATION, |status| status.build_seconds);
}

fn tokens(metrics: &Metrics, parts: &Context) {
    tally(metrics, &access::TOKENS, &parts.oauth, |oauth| &oauth.requests);
    tally(metrics, &access::CHECKS, &parts.oauth, |oauth| &oauth.checks);
    tally(metrics, &access::IDEMPOTENCY, &parts.counts, |counts| &counts.keys);
}

fn load(metrics: &Metrics, parts: &Guards) {
    tally(metrics, &access::REFUSED, &parts.limiter, Limiter::refused);
    number(metrics, &access::ALONE, &parts.limiter, |limiter| Some(flag(limiter.is_cut_off())));
    number(metrics, &access::SHED, &parts.load, |load| Some(load.turned_away() as f64));
    number(metrics, &access::PLACES, &parts.load, |load| Some(load.places().0 as f64));
    number(metrics, &access::IN_FLIGHT, &parts.load, |load| Some(load.places().1 as f64));
}

fn breakers(metrics: &Metrics, redis: Option<&Arc<Redis>>, suppliers: &Arc<Suppliers>) {
    if let Some(redis) = redis {
        tally(metrics, &access::REDIS, redis, Redis::calls);
    }
    let (redis, suppliers) = (redis.cloned(), Arc::clone(suppliers));
    metrics.observe(&access::BREAKERS, move |readings| {
        let redis = redis.iter().map(|redis| ("redis".to_owned(), redis.state()));
        let supplier = |supplier: &Arc<Supplier>| (format!("supplier:{}", supplier.name()), supplier.state());
        for (breaker, state) in redis.chain(suppliers.iter().map(supplier)) {
            for (name, which) in [
                ("closed", breaker::State::Closed),
                ("open", breaker::State::Open),
                ("half_open", breaker::State::HalfOpen),
            ] {
                readings.put(flag(state == which), &[&breaker, name]);
            }
        }
    });
}

fn events(metrics: &Metrics, context: &Context, parts: &Background) {
    let arrivals = context.intake.arrivals();
    metrics.observe(&webhooks::RECEIVED, move |readings| {
        for (source, tally) in arrivals.known().chain([(OTHER, arrivals.others())]) {
            for arrival in Counted::ALL {
                readings.put(tally.get(*arrival) as f64, &[source, arrival.name()]);
            }
        }
    });
    tally(metrics, &webhooks::APPLIED, &parts.applied, |applied| applied);
    tally(metrics, &subscriptions::DELIVERIES, &parts.tries, |tries| tries);
}

fn suppliers(metrics: &Metrics, part: &Arc<Suppliers>) {
    fn each<K: Counted>(
        metrics: &Metrics,
        metric: &'static Metric,
        part: &Arc<Suppliers>,
        tally: fn(&Supplier) -> &Tally<K>,
    ) {
        let suppliers = Arc::clone(part);
        metrics.observe(metric, move |readings| {
            for supplier in suppliers.iter() {
                for kind in K::ALL {
                    readings.put(tally(supplier).get(*kind) as f64, &[supplier.name().as_str(), kind.name()]);
                }
            }
        });
    }
    each(metrics, &suppliers::SYNCS_ENDED, part, Supplier::syncs);
    each(metrics, &suppliers::CALLS_MADE, part, Supplier::calls);
}

fn waiting(metrics: &Metrics, sampler: Sampler, clock: Clock) {
    let part = Arc::new(sampler);
    let since = move |since: Option<Timestamp>| {
        let passed = since.map_or(0, |since| clock().micros() - since.micros());
        passed.max(0) as f64 / 1e6
    };
    let overdue = since.clone();
    number(metrics, &webhooks::PENDING, &part, |sampler| Some(sampler.latest()?.events.count.into()));
    number(metrics, &webhooks::PARKED, &part, |sampler| Some(sampler.latest()?.parked.into()));
    number(metrics, &webhooks::LAG, &part, move |sampler| Some(since(sampler.latest()?.events.due_since)));
    number(metrics, &subscriptions::PENDING, &part, |sampler| Some(sampler.latest()?.deliveries.count.into()));
    number(metrics, &subscriptions::LAG, &part, move |sampler| Some(overdue(sampler.latest()?.deliveries.due_since)));
    number(metrics, &subscriptions::CHANGES, &part, |sampler| Some(sampler.latest()?.unpassed as f64));
}
