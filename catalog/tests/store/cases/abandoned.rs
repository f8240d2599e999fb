//! Callers that go away in the middle of a call: their clients hung up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal_catalog::ProductPatch;
use farmlokal_catalog::store::{self, Options};

use crate::engine::{Database as _, Mariadb, Proxy, Shop, conformance, patient};
use crate::sample::{Dice, Row, at, filter, id, limit, priced, product, query};

conformance!(leave_the_connection_to_the_next_one, leave_the_product_whole);

fn one_connection() -> Options {
    Options { max_connections: 1, ..patient() }
}

fn rows(count: i64) -> Vec<Row> {
    let named = |id| product(&format!("Milk {id}"), "Dairy", "1.00");
    (1..=count).map(|id| Row { id, details: named(id), created_at: at(0) }).collect()
}

/// Gives up on `call` after a random part of `longest`: where in the call that is, is what matters.
async fn abandon<T>(call: impl Future<Output = T>, longest: Duration, dice: &mut Dice) {
    let part = Duration::from_micros(dice.below(longest.as_micros() as u64 + 1));
    let _ = tokio::time::timeout(part, call).await;
}

async fn leave_the_connection_to_the_next_one(shop: &Shop) {
    shop.insert(&rows(3_000)).await;
    let store = shop.reopen(&one_connection()).await;
    let mut dice = Dice(1);
    // By an index alone, and sorted.
    for (min, order) in [("", "price"), ("0.50", "name")] {
        let query = query(&filter("", min, ""), order);
        let start = Instant::now();
        store.list(&query, None, limit(100)).await.unwrap();
        let whole = start.elapsed();
        for round in 0..40 {
            abandon(store.list(&query, None, limit(100)), whole, &mut dice).await;
            let found = store.get(id(7)).await;
            assert!(found.is_ok(), "round {round}: {found:?}");
        }
    }
}

/// A write happens or does not, its category's count with it.
async fn leave_the_product_whole(shop: &Shop) {
    let store = shop.reopen(&one_connection()).await;
    let mut dice = Dice(2);
    let start = Instant::now();
    store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let whole = start.elapsed();
    for round in 0..60 {
        match round % 3 {
            0 => abandon(store.create(product("Milk", "Dairy", "1.00"), at(0)), whole, &mut dice).await,
            1 => {
                let patch = ProductPatch { category: format!("{round}").parse().ok(), ..priced("2.00") };
                abandon(store.update(id(1), patch, None, at(1)), whole, &mut dice).await;
            }
            _ => abandon(store.delete(id(round / 3 + 2), None), whole, &mut dice).await,
        }
        // A write that nobody waits for may come to its end on the server between the two questions.
        let asked = Instant::now();
        loop {
            let counted: u64 = store.categories().await.unwrap().iter().map(|(_, products)| products).sum();
            let listed = store.list(&query(&filter("", "", ""), ""), None, limit(100)).await.unwrap();
            if counted == listed.products.len() as u64 {
                break;
            }
            assert!(asked.elapsed() < Duration::from_secs(10), "round {round}: {counted}, {}", listed.products.len());
        }
    }
}

/// Wherever in an answer the network stalls and the caller gives up, the only connection of the pool
/// is not lost, and nobody gets the rest of somebody else's answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_in_the_middle_of_an_answer() {
    let shop = Shop::open::<Mariadb>().await;
    shop.insert(&rows(20)).await;
    let (proxy, url) = Proxy::before(&shop.database.raw_url()).await;
    let store = store::open(&url.parse().unwrap(), None, &one_connection()).await.unwrap();
    let listing = query(&filter("", "", ""), "");
    for bytes in (1..2_000).step_by(19) {
        // The first statement of a kind is prepared; an answer to that can be cut short as well.
        let prepared = bytes % 2 == 0;
        if prepared {
            store.list(&listing, None, limit(20)).await.unwrap();
        }
        store.get(id(7)).await.unwrap();
        proxy.stall_after(bytes);
        let (reader, asked) = (Arc::clone(&store), listing.clone());
        let call =
            tokio::spawn(async move { reader.list(&asked, None, limit(20)).await.map(|page| page.products.len()) });
        proxy.stalled().await;
        call.abort();
        let _ = call.await;
        proxy.flow();
        let found = store.get(id(7)).await;
        assert_eq!(found.as_ref().map(|product| product.id).ok(), Some(id(7)), "after {bytes} bytes: {found:?}");
    }
}

/// A statement whose caller has gone would run on at the server; it is ended there before its place is somebody else's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_runs_nothing_that_nobody_waits_for() {
    const LIMIT: u32 = 3;
    let database = Mariadb::empty().await;
    store::migrate(&database.url()).await.unwrap();
    let store = store::open(&database.url(), None, &Options { max_connections: LIMIT, ..patient() }).await.unwrap();
    store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let mut watch = database.connect().await.unwrap();
    let of_pool = async |watch: &mut sqlx::mysql::MySqlConnection, also: &str| {
        // The one that asks, the one that holds the table, and that of readiness checks are not the pool's.
        let count = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() {also}"
        );
        sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(count)).fetch_one(watch).await.unwrap()
    };
    let waits = "AND state LIKE 'Waiting for table metadata lock%'";
    store.ping().await.unwrap();
    let before = of_pool(&mut watch, "").await;
    let mut other = database.connect().await.unwrap();
    sqlx::raw_sql("LOCK TABLES products WRITE").execute(&mut other).await.unwrap();
    let listing = query(&filter("", "", ""), "");
    for round in 0..4 {
        let callers: Vec<_> = (0..LIMIT)
            .map(|_| {
                let (store, listing) = (Arc::clone(&store), listing.clone());
                tokio::spawn(async move { store.list(&listing, None, limit(20)).await.map(|_| ()) })
            })
            .collect();
        let deadline = Instant::now() + Duration::from_secs(20);
        while of_pool(&mut watch, waits).await < i64::from(LIMIT) {
            assert!(Instant::now() < deadline, "the statements never came to the lock in round {round}");
        }
        // Those of the round before may be the ones that were seen; these come within the looks that follow.
        for _ in 0..100 {
            let counted = of_pool(&mut watch, "").await;
            assert!(counted <= before + i64::from(LIMIT), "{counted} connections in round {round}");
        }
        callers.iter().for_each(tokio::task::JoinHandle::abort);
    }
    sqlx::raw_sql("UNLOCK TABLES").execute(&mut other).await.unwrap();
    store.get(id(1)).await.unwrap();
}
