//! The size of the pool can be changed while it serves, and holds; who waits and who is refused is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farmlokal_catalog::store::{self, Observer, Options, Pool, PoolStatus, Store, StoreError};
use sqlx::mysql::MySqlConnection;
use tokio::task::JoinSet;

use crate::engine::{Database, Mariadb, Shop, conformance, patient};
use crate::sample::{Dice, at, filter, id, limit, priced, product, query};

conformance!(
    closes_what_is_idle_when_lowered,
    turns_away_whom_the_queue_does_not_hold,
    limits_stay_between_one_and_ceiling
);

/// Counts what it is told.
#[derive(Debug, Default)]
struct Counts {
    acquired: AtomicU64,
    released: AtomicU64,
    timed_out: AtomicU64,
    refused: AtomicU64,
    operations: AtomicU64,
    failed: AtomicU64,
}

impl Observer for Counts {
    fn acquired(&self, _: Pool, _: Duration) {
        self.acquired.fetch_add(1, Ordering::SeqCst);
    }
    fn released(&self, _: Pool, _: Duration) {
        self.released.fetch_add(1, Ordering::SeqCst);
    }
    fn timed_out(&self, _: Pool) {
        self.timed_out.fetch_add(1, Ordering::SeqCst);
    }
    fn refused(&self, _: Pool) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }
    fn operation(&self, summary: &'static str, _: Duration, error: Option<&'static str>) {
        assert!(summary.split(' ').count() == 2, "{summary:?} is not a verb and a table");
        self.operations.fetch_add(1, Ordering::SeqCst);
        self.failed.fetch_add(u64::from(error.is_some()), Ordering::SeqCst);
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

fn primary(store: &dyn Store) -> PoolStatus {
    store.pools().into_iter().find(|status| status.pool == Pool::Primary).unwrap()
}

/// Waits until `done`, and says what was waited for if it never is.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

/// Callers that read and write without a pause until they are stopped.
fn load(store: &Arc<dyn Store>, callers: u64) -> (JoinSet<()>, Arc<AtomicBool>) {
    let (mut set, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
    for caller in 0..callers {
        let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
        set.spawn(async move {
            let mut dice = Dice(caller);
            while !stop.load(Ordering::Relaxed) {
                match dice.below(10) {
                    0 => drop(store.update(id(1), priced("2.00"), None, at(1)).await.unwrap()),
                    _ => drop(store.list(&query(&filter("", "", ""), ""), None, limit(20)).await.unwrap()),
                }
            }
        });
    }
    (set, stop)
}

async fn stop((mut set, stop): (JoinSet<()>, Arc<AtomicBool>)) {
    stop.store(true, Ordering::Relaxed);
    while let Some(done) = set.join_next().await {
        done.unwrap();
    }
}

/// Connections that the server itself counts in the database, but for the one that asks.
async fn at_the_server(watch: &mut MySqlConnection) -> u32 {
    let count = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    let count: i64 = sqlx::query_scalar(count).fetch_one(watch).await.unwrap();
    u32::try_from(count).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_never_has_more_connections_than_the_limit() {
    let database = Mariadb::empty().await;
    store::migrate(&database.url()).await.unwrap();
    let options = Options { max_connections: 3, max_connections_ceiling: 16, ..patient() };
    let store = store::open(&database.url(), None, &options).await.unwrap();
    store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let mut watch = database.connect().await.unwrap();
    let load = load(&store, 24);
    for limit in [3, 12, 2, 16, 5, 6, 1, 9] {
        let before = primary(&*store).limit;
        let lowered = Instant::now();
        assert_eq!(store.set_limit(limit).await, limit);
        if limit < before {
            until("what is too much is not closed", async || at_the_server(&mut watch).await <= limit).await;
            println!("{before} -> {limit}: the server counts no more after {:?}", lowered.elapsed());
        } else {
            let full = async || at_the_server(&mut watch).await == limit;
            until("the limit is not used up", full).await;
        }
        for _ in 0..50 {
            let (counted, status) = (at_the_server(&mut watch).await, primary(&*store));
            assert!(
                counted <= limit && status.open <= limit,
                "{counted} connections, the limit is {limit}: {status:?}"
            );
            assert!(status.in_use <= limit && status.applied == limit, "{status:?}");
        }
    }
    stop(load).await;
    until("a place was lost", async || primary(&*store).in_use == 0 && primary(&*store).waiting == 0).await;
}

async fn closes_what_is_idle_when_lowered(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let store = shop.reopen(&Options { max_connections: 6, ..patient() }).await;
    let busy = load(&store, 12);
    until("the limit is not used up", async || primary(&*store).open == 6).await;
    stop(busy).await;
    until("they do not come back", async || primary(&*store).in_use == 0).await;
    assert_eq!(primary(&*store).open, 6);
    store.set_limit(2).await;
    assert_eq!((primary(&*store).open, primary(&*store).applied), (2, 2), "nobody uses them: they close at once");
    assert!(primary(&*store).in_use_time > Duration::ZERO);
    store.get(id(1)).await.unwrap();
}

async fn limits_stay_between_one_and_ceiling(shop: &Shop) {
    let options = Options { max_connections: 2, max_connections_ceiling: 4, ..patient() };
    let store = shop.reopen(&options).await;
    assert_eq!((store.set_limit(0).await, primary(&*store).limit), (1, 1));
    assert_eq!((store.set_limit(5).await, primary(&*store).limit), (4, 4));
}

/// One caller has the only connection, and there is no queue.
async fn turns_away_whom_the_queue_does_not_hold(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let counts = Arc::new(Counts::default());
    let options = Options { max_connections: 1, max_waiting: 0, observer: Arc::clone(&counts) as _, ..patient() };
    let store = shop.reopen(&options).await;
    let held = shop.database.hold().await;
    let write = || {
        let store = Arc::clone(&store);
        async move { store.update(id(1), priced("2.00"), None, at(1)).await.map(|_| ()) }
    };
    let first = tokio::spawn(write());
    until("the first caller gets no connection", async || read(&counts.acquired) == 1).await;
    assert!(matches!(write().await, Err(StoreError::Busy)));
    assert_eq!((read(&counts.timed_out), read(&counts.refused), read(&counts.failed)), (1, 0, 1));
    drop(held);
    first.await.unwrap().unwrap();
    until("the connection does not come back", async || read(&counts.released) == 1).await;
    write().await.unwrap();
    assert_eq!((read(&counts.acquired), read(&counts.operations)), (2, 3));
}

/// The account may have two connections, and the pool four.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_tells_of_connections_that_the_server_refused() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let (user, url) = (format!("few_{}", std::process::id()), url::Url::parse(&shop.database.raw_url()).unwrap());
    let database = url.path().trim_start_matches('/');
    shop.database
        .sql(&format!(
            "CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 2;
             GRANT ALL ON {database}.* TO {user}@'127.0.0.1'"
        ))
        .await;
    let mut few = url.clone();
    few.set_username(&user).unwrap();
    few.set_password(Some("few")).unwrap();
    let counts = Arc::new(Counts::default());
    let options = Options { max_connections: 4, observer: Arc::clone(&counts) as _, ..patient() };
    let store = store::open(&few.as_str().parse().unwrap(), None, &options).await.unwrap();
    let held = shop.database.hold().await;
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        writers.spawn(async move { store.update(id(1), priced("2.00"), None, at(1)).await });
    }
    for _ in 0..2 {
        let refused = writers.join_next().await.unwrap().unwrap();
        assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    }
    assert_eq!((read(&counts.refused), read(&counts.timed_out)), (2, 0));
    drop(held);
    while let Some(done) = writers.join_next().await {
        done.unwrap().unwrap();
    }
    store.close().await;
    shop.database.sql(&format!("DROP USER {user}@'127.0.0.1'")).await;
}

/// Callers that hang up in the middle of a read cost no place and leave no connection too many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_loses_no_place_to_callers_that_give_up() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let counts = Arc::new(Counts::default());
    let options = Options { max_connections: 3, observer: Arc::clone(&counts) as _, ..patient() };
    let store = shop.reopen(&options).await;
    let mut callers = JoinSet::new();
    for caller in 0..12 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            let mut dice = Dice(caller);
            for _ in 0..40 {
                let part = Duration::from_micros(dice.below(2_000));
                let _ = tokio::time::timeout(part, store.get(id(1))).await;
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
        let status = primary(&*store);
        assert!(status.in_use <= 3 && status.open <= 3, "{status:?}");
    }
    until("a place was lost", async || primary(&*store).in_use == 0 && primary(&*store).waiting == 0).await;
    // The connection of readiness checks, over which what nobody waits for is ended, comes back a moment later.
    until("a connection did not come back", async || read(&counts.acquired) == read(&counts.released)).await;
    let busy = load(&store, 6);
    until("not all places are there", async || primary(&*store).in_use == 3).await;
    stop(busy).await;
}
