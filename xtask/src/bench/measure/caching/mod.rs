//! The cache: what a hit costs, what many misses at once cost, and what a shop's load comes to.

pub(super) mod ceiling;
mod document;
mod herd;
mod shared;
mod shop;

use std::collections::HashMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use farmlokal_testkit::redis;
use serde::Deserialize;

use super::Pace;
use super::draw::Draw;
use super::outcome::Outcome;
use super::results::Target;
use super::service::Service;
use ceiling::Ceiling;
use farmlokal_testkit::http::Client;
use herd::Herd;
use shop::Shop;

const SHARED_WITHIN: Duration = Duration::from_secs(20);

/// What came out.
pub(super) struct Caching {
    ceiling: Ceiling,
    /// Hits in Redis, with no memory in the process.
    shared: Outcome,
    herd: Herd,
    shop: Shop,
}

impl Caching {
    /// Measures everything about the cache on `database`.
    pub(super) fn measure(database: &str, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        println!("==> the cache");
        let redis = redis::Server::start();
        let ceiling = Ceiling::measure(database, pace)?;
        println!("    a hit: {:.2} times a bare endpoint", ceiling.ratio());
        let shared = shared::measure(database, &redis.url(), draw, pace)?;
        println!("    a hit in Redis: P95 {:.2} ms", shared.quantile(0.95));
        let herd = Herd::measure(database, &redis.url(), draw)?;
        println!("    {} at once: {} computed", herd::CALLERS, herd.loads);
        let shop = Shop::measure(database, &redis.url(), draw, pace)?;
        println!("    a shop: {:.1} % hits, P95 {:.2} ms", 100.0 * shop.hit_ratio, shop.cached.quantile(0.95));
        Ok(Self { ceiling, shared, herd, shop })
    }

    /// A line for each load with wrong answers.
    pub(super) fn wrong(&self) -> impl Iterator<Item = String> {
        let loads = [
            (&self.shared, "hits in Redis"),
            (&self.herd.answers, "many misses at once"),
            (&self.shop.cached, "the shop's load"),
            (&self.shop.uncached, "the shop's load without a cache"),
        ];
        loads.into_iter().filter_map(|(answers, name)| answers.complaint(name))
    }

    fn targets(&self) -> Vec<Target> {
        let target = |what, is, reached| Target { what, is, reached };
        let (ratio, p95, loads) = (self.ceiling.ratio(), self.shared.quantile(0.95), self.herd.loads);
        vec![
            target("a hit in memory at 60 % of a bare endpoint", format!("{:.0} %", 100.0 * ratio), ratio >= 0.6),
            target("P95 of a hit in Redis under 1 ms", format!("{p95:.2} ms"), p95 < 1.0),
            target("1,000 identical misses on two replicas are one query", format!("{loads}"), loads == 1),
        ]
    }
}

/// What the admin port says of the cache, as far as it matters here.
#[derive(Deserialize)]
struct Status {
    shared: bool,
    loads: u64,
    operations: HashMap<String, Operation>,
}

#[derive(Deserialize)]
struct Operation {
    local: u64,
    redis: u64,
    computed: u64,
}

impl Status {
    /// The part of all answers that needed no computing.
    fn hit_ratio(&self) -> f64 {
        let sum = |count: fn(&Operation) -> u64| self.operations.values().map(count).sum::<u64>() as f64;
        let hits = sum(|it| it.local + it.redis);
        hits / (hits + sum(|it| it.computed))
    }
}

fn status(service: &Service) -> Result<Status, String> {
    match Client::new(service.admin).get("/v1/admin/cache")? {
        (200, body) => serde_json::from_slice(body).map_err(|error| format!("/v1/admin/cache: {error}")),
        (status, _) => Err(format!("/v1/admin/cache: {status}")),
    }
}

/// Waits until `service` shares its cache.
fn until_shared(service: &Service) -> Result<(), String> {
    let start = Instant::now();
    while !status(service)?.shared {
        if start.elapsed() > SHARED_WITHIN {
            return Err("the cache is not shared".to_owned());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Voids everything, and waits until every replica has heard of it.
fn flush(service: &Service) -> Result<(), String> {
    let line = "POST /v1/admin/cache/flush HTTP/1.1";
    match Client::new(service.admin).send(line, &[], r#"{"namespace":"all"}"#)? {
        (200, _) => {}
        (status, _) => return Err(format!("{line}: {status}")),
    }
    sleep(Duration::from_secs(1));
    Ok(())
}
