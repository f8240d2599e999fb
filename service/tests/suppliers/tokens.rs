//! One token for all who ask, here and elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use farmlokal::clock::Clock;
use farmlokal::redis::Redis;
use farmlokal::suppliers::Suppliers;
use farmlokal_catalog::Timestamp;
use farmlokal_testkit::redis::Server;
use tempfile::TempDir;

use crate::farm::{Farm, Mood};
use crate::service::{configure, until};

/// Seconds since 1970 that a test sets.
#[derive(Clone)]
struct Watch(Arc<AtomicI64>);

impl Watch {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000)))
    }

    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_micros(seconds.load(Ordering::Relaxed) * 1_000_000).unwrap())
    }
}

/// One replica's suppliers.
fn replica(farm: &Farm, redis: Option<&Server>, watch: &Watch) -> Arc<Suppliers> {
    let folder = TempDir::new().unwrap();
    let config = configure(&folder, "sqlite:unused.db", &farm.section());
    let redis =
        redis.map(|server| Arc::new(Redis::open(&server.url().parse().unwrap(), Duration::from_millis(100)).unwrap()));
    let clients_wait = Duration::from_secs(4);
    Arc::new(Suppliers::open(&config.suppliers, redis.as_ref(), clients_wait, &watch.clock()))
}

/// Asks so many times at once; says how many got an answer.
async fn ask(replicas: &[&Arc<Suppliers>], times: usize) -> usize {
    let asking: Vec<_> = (0..times)
        .flat_map(|_| replicas.iter().map(|suppliers| Arc::clone(suppliers)))
        .map(|suppliers| tokio::spawn(async move { suppliers.passed_on().await.unwrap().is_ok() }))
        .collect();
    let mut answered = 0;
    for asked in asking {
        answered += usize::from(asked.await.unwrap());
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_ask_at_once_need_one_token() {
    let farm = Farm::start(3).await;
    farm.state().token_takes = Duration::from_millis(100);
    let suppliers = replica(&farm, None, &Watch::new());
    assert_eq!(ask(&[&suppliers], 20).await, 20);
    assert_eq!(farm.state().tokens, 1);
    // "farm:lokal" and "hunter2", form-encoded, then in Base64.
    assert_eq!(
        farm.state().token_requests,
        ["Basic ZmFybSUzQWxva2FsOmh1bnRlcjI= grant_type=client_credentials&scope=offers"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_on_one_redis_need_one_token() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    farm.state().token_takes = Duration::from_millis(100);
    let (one, other) = (replica(&farm, Some(&server), &watch), replica(&farm, Some(&server), &watch));
    assert_eq!(ask(&[&one, &other], 10).await, 20);
    assert_eq!(farm.state().tokens, 1);
    // One that starts later finds it.
    assert_eq!(ask(&[&replica(&farm, Some(&server), &watch)], 1).await, 1);
    assert_eq!(farm.state().tokens, 1);

    let keys = server.run(&["KEYS", "*"]);
    assert!(keys.starts_with("farmlokal:supplier-token:{") && !keys.contains('\n'), "no lease is left: {keys}");
    assert!(!keys.contains("green-valley"), "{keys}");
    let value = server.run(&["GET", &keys]);
    assert!(!value.contains("token-1") && !value.contains("hunter2"), "it rests sealed");
    let lives: i64 = server.run(&["TTL", &keys]).parse().unwrap();
    assert!((3_500..=3_600).contains(&lives), "{lives}");

    // Revoked: both get a 401, and one of them fetches.
    farm.state().revoked = 1;
    assert_eq!(ask(&[&one, &other], 10).await, 20);
    assert_eq!(farm.state().tokens, 2);

    // What others wrote under that key is no token.
    server.run(&["SET", &keys, "token-2"]);
    assert_eq!(ask(&[&replica(&farm, Some(&server), &watch)], 1).await, 1);
    assert_eq!(farm.state().tokens, 3);
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_replica_fetches_its_own() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    let (one, other) = (replica(&farm, Some(&server), &watch), replica(&farm, Some(&server), &watch));
    server.pause();
    let start = Instant::now();
    assert_eq!(ask(&[&one, &other], 5).await, 10);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(farm.state().tokens, 2);
    server.resume();
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_kept_for_its_lifetime_less_a_margin() {
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    farm.state().token_lifetime = 100;
    let suppliers = replica(&farm, None, &watch);
    for (passes, tokens) in [(0, 1), (79, 1), (11, 2), (79, 2), (1_000, 3)] {
        watch.pass(passes);
        assert_eq!(ask(&[&suppliers], 3).await, 3);
        assert_eq!(farm.state().tokens, tokens, "{passes} seconds later");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_token_is_replaced_in_the_background() {
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    farm.state().token_lifetime = 100;
    let suppliers = replica(&farm, None, &watch);
    assert_eq!(ask(&[&suppliers], 1).await, 1);
    watch.pass(85);
    // The farm takes longer for a token than anybody waits, and nobody notices.
    farm.state().token_takes = Duration::from_secs(60);
    assert_eq!(ask(&[&suppliers], 10).await, 10);
    until("one asks for another", async || (farm.state().token_requests.len() == 2).then_some(())).await;
    // It does not come. The old one is good, and after a while another try is made.
    farm.state().token_takes = Duration::ZERO;
    until("the next try brings one", async || {
        watch.pass(1);
        assert_eq!(ask(&[&suppliers], 1).await, 1);
        (farm.state().tokens >= 2).then_some(())
    })
    .await;
    let requests = farm.state().token_requests.len();
    assert!((3..=4).contains(&requests), "{requests} requests");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_taken_is_replaced_once() {
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    let suppliers = replica(&farm, None, &watch);
    assert_eq!(ask(&[&suppliers], 1).await, 1);
    farm.state().revoked = 1;
    assert_eq!(ask(&[&suppliers], 20).await, 20);
    assert_eq!(farm.state().tokens, 2, "one for all who had the old one");
    // No token is taken: each request tries one more, until the breaker ends it.
    farm.mood(Mood::Locked);
    for _ in 0..50 {
        assert_eq!(ask(&[&suppliers], 1).await, 0);
    }
    let tokens = farm.state().tokens;
    assert!(tokens <= 2 + 5 + 2, "{tokens} tokens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_told_and_not_tried_for_ever() {
    let (farm, watch) = (Farm::start(3).await, Watch::new());
    farm.state().token_status = 401;
    let suppliers = replica(&farm, None, &watch);
    let failure = suppliers.passed_on().await.unwrap().unwrap_err();
    assert_eq!(failure.to_string(), "no token: it answered 401");
    for _ in 0..50 {
        assert_eq!(ask(&[&suppliers], 1).await, 0);
    }
    let requests = farm.state().token_requests.len();
    assert!(requests <= 7, "{requests} requests");
    assert!(!format!("{failure:?}").contains("hunter2"));
}
