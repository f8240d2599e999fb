//! A statement that takes too long is ended, and its connection serves the next caller.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal_catalog::Query;
use farmlokal_catalog::store::{self, Options, Store, StoreError};

use crate::engine::{Database as _, Mariadb, Proxy, Shop, conformance};
use crate::sample::{Row, at, filter, id, limit, product, query};

conformance!(ends_what_is_broad);

fn limited(statement_timeout: Duration) -> Options {
    Options { max_connections: 1, statement_timeout, ..Options::default() }
}

/// Only the last few thousand cost more than 5.00.
fn rows() -> Vec<Row> {
    let rows = 1..=30_000;
    rows.map(|id| {
        let price = if id > 27_000 { "9.00" } else { "1.00" };
        Row { id, details: product("Milk", "Dairy", price), created_at: at(0) }
    })
    .collect()
}

async fn ends_what_is_broad(shop: &Shop) {
    shop.insert(&rows()).await;
    // By id and by name, the 3,000 expensive ones come after 27,000 others.
    let broad = [query(&filter("", "5.00", ""), "id"), query(&filter("", "5.00", ""), "name")];
    for query in broad {
        // The first time includes the way to the database.
        shop.store.list(&query, None, limit(20)).await.unwrap();
        let start = Instant::now();
        shop.store.list(&query, None, limit(20)).await.unwrap();
        let limit = start.elapsed() / 8;
        let store = shop.reopen(&limited(limit)).await;
        ends(&*store, &query, limit).await;
        works(&*store).await;
        works(&*shop.store).await;
    }
    let store = shop.reopen(&limited(Duration::from_micros(200))).await;
    ends_a_total(&*store).await;
    works(&*store).await;
}

/// A total reads so little that a fast machine may be done before the server's clock has ended it.
async fn ends_a_total(store: &dyn Store) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match store.total(&filter("", "", "")).await {
            Err(StoreError::TimeLimit) => return,
            total => assert!(total.is_ok() && Instant::now() < deadline, "{total:?}"),
        }
    }
}

async fn ends(store: &dyn Store, query: &Query, within: Duration) {
    let start = Instant::now();
    let page = store.list(query, None, limit(20)).await;
    let Err(StoreError::TimeLimit) = page else { panic!("{page:?} within {within:?}: {query:?}") };
    assert!(start.elapsed() < within + Duration::from_secs(10), "{:?} rather than {within:?}", start.elapsed());
}

/// The limit is so short that a machine at its limit may miss it even with the smallest statement.
async fn works(store: &dyn Store) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match store.get(id(7)).await {
            Ok(_) => return,
            Err(StoreError::TimeLimit) if Instant::now() < deadline => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What waits for somebody else's lock waits no longer than that either.
#[tokio::test]
async fn mariadb_ends_what_waits_for_a_lock() {
    let database = Mariadb::empty().await;
    store::migrate(&database.url()).await.unwrap();
    let store = store::open(&database.url(), None, &limited(Duration::from_millis(200))).await.unwrap();
    store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let query = query(&filter("", "", ""), "");
    let mut other = database.connect().await.unwrap();
    sqlx::raw_sql("LOCK TABLES products WRITE").execute(&mut other).await.unwrap();
    ends(&*store, &query, Duration::from_millis(200)).await;
    let written = store.update(id(1), crate::sample::priced("2.00"), None, at(1)).await;
    assert!(matches!(written, Err(StoreError::TimeLimit)), "{written:?}");
    sqlx::raw_sql("UNLOCK TABLES").execute(&mut other).await.unwrap();
    assert_eq!(store.get(id(1)).await.unwrap().version.get(), 1);
    // The caller is gone, the statement is not, nor may it hold the connection for longer.
    sqlx::raw_sql("LOCK TABLES products WRITE").execute(&mut other).await.unwrap();
    let reader = Arc::clone(&store);
    let waiting = tokio::spawn(async move { reader.list(&query, None, limit(20)).await });
    let waits = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%' AND db = DATABASE()";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.sql(waits).await == ["0"] && !waiting.is_finished() {
        assert!(Instant::now() < deadline, "the statement never came to the lock");
    }
    waiting.abort();
    sqlx::raw_sql("UNLOCK TABLES").execute(&mut other).await.unwrap();
    store.get(id(1)).await.unwrap();
}

/// A server that says nothing at all ends nothing; the caller is told all the same, and within the
/// time of two statements and a second.
#[tokio::test]
async fn mariadb_gives_up_on_a_server_that_has_gone_silent() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let (proxy, url) = Proxy::before(&shop.database.raw_url()).await;
    let store = store::open(&url.parse().unwrap(), None, &limited(Duration::from_millis(50))).await.unwrap();
    store.get(id(1)).await.unwrap();
    store.ping().await.unwrap();
    // Enough for what the pool itself asks, and for the beginning of an answer.
    proxy.stall_after(200);
    let start = Instant::now();
    let read = store.get(id(1)).await;
    assert!(matches!(read, Err(StoreError::TimeLimit)), "{read:?}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // There may be no connection left by now, and none to be had.
    for _ in 0..2 {
        let start = Instant::now();
        let (read, asked) = tokio::join!(store.get(id(1)), store.ping());
        assert!(matches!(read, Err(StoreError::Busy | StoreError::TimeLimit)), "{read:?}");
        assert!(matches!(asked, Err(StoreError::Busy | StoreError::TimeLimit)), "{asked:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
    proxy.flow();
    store.get(id(1)).await.unwrap();
    store.ping().await.unwrap();
}
