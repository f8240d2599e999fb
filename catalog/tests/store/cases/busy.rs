//! More callers than connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal_catalog::store::{self, Options, StoreError};

use crate::engine::{Mariadb, Shop, Sqlite, conformance, patient};
use crate::sample::{Row, at, filter, id, limit, priced, product, query};

conformance!(a_writer_that_waits_too_long_is_told, callers_take_turns);

fn one_connection() -> Options {
    let statement_timeout = Duration::from_secs(60);
    Options { max_connections: 1, acquire_timeout: Duration::from_millis(150), statement_timeout, ..patient() }
}

/// One writer waits for a lock with the only connection there is, so that the next one gets none.
async fn a_writer_that_waits_too_long_is_told(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let store = shop.reopen(&one_connection()).await;
    store.ping().await.unwrap();
    let held = shop.database.hold().await;
    let start = Instant::now();
    let write = |price: &'static str| {
        let store = Arc::clone(&store);
        async move { store.update(id(1), priced(price), None, at(1)).await }
    };
    // Whichever takes the connection, the other one is refused.
    let mut writers = tokio::task::JoinSet::new();
    writers.spawn(write("2.00"));
    writers.spawn(write("2.00"));
    let refused = writers.join_next().await.unwrap().unwrap();
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    store.ping().await.unwrap();
    drop(held);
    let done = writers.join_next().await.unwrap().unwrap();
    assert_eq!(done.unwrap().version.get(), 2);
    assert_eq!(write("3.00").await.unwrap().version.get(), 3);
}

async fn callers_take_turns(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let patient = Options { acquire_timeout: Duration::from_secs(30), ..one_connection() };
    let store = shop.reopen(&patient).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..60 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            match caller % 3 {
                0 => store.get(id(1)).await.map(|_| ()),
                1 => store.list(&query(&filter("", "", ""), "price"), None, limit(20)).await.map(|_| ()),
                _ => store.update(id(1), priced(&format!("{caller}.00")), None, at(1)).await.map(|_| ()),
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(store.get(id(1)).await.unwrap().version.get(), 21);
}

/// MariaDB's readers share their connections with the writers.
#[tokio::test]
async fn mariadb_a_reader_that_waits_too_long_is_told() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let store = shop.reopen(&one_connection()).await;
    let held = shop.database.hold().await;
    let writer = Arc::clone(&store);
    let writer = tokio::spawn(async move { writer.update(id(1), priced("2.00"), None, at(1)).await });
    // The reader may be first; then it is served, and asks again.
    let deadline = Instant::now() + Duration::from_secs(10);
    let refused = loop {
        match store.get(id(1)).await {
            Ok(_) => assert!(Instant::now() < deadline, "the writer never took the connection"),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Busy), "{refused:?}");
    store.ping().await.unwrap();
    drop(held);
    writer.await.unwrap().unwrap();
    assert_eq!(store.get(id(1)).await.unwrap().version.get(), 2);
}

/// SQLite's readers wait for no writer, but for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_reader_that_waits_too_long_is_told() {
    let shop = Shop::open::<Sqlite>().await;
    let rows: Vec<Row> =
        (1..=20_000).map(|id| Row { id, details: product("Milk", "Dairy", "1.00"), created_at: at(0) }).collect();
    shop.insert(&rows).await;
    let impatient = Options { acquire_timeout: Duration::from_millis(5), ..one_connection() };
    // Opening takes a connection as well, and may itself be too slow for that.
    let deadline = Instant::now() + Duration::from_secs(10);
    let store = loop {
        match store::open(&shop.database.url(), None, &impatient).await {
            Ok(store) => break store,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    let _held = shop.database.hold().await;
    let long = Arc::clone(&store);
    let long = tokio::spawn(async move {
        loop {
            let listed = long.list(&query(&filter("", "5.00", ""), "name"), None, limit(20)).await;
            assert!(matches!(listed, Ok(_) | Err(StoreError::Busy)), "{listed:?}");
        }
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    let refused = loop {
        match store.get(id(1)).await {
            Ok(_) => assert!(Instant::now() < deadline, "no listing ever took the connection"),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Busy), "{refused:?}");
    long.abort();
}
