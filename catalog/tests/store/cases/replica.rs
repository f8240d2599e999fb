//! Reads go to the replica, unless this process has just written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal_catalog::Total;
use farmlokal_catalog::store::{self, Options, Store, StoreError};

use crate::engine::{Mariadb, Shop, Sqlite, patient};
use crate::sample::{at, filter, id, limit, priced, product, query};

/// Two databases that nothing keeps alike, so that it shows which one was asked.
struct Pair {
    primary: Shop,
    replica: Shop,
    store: Arc<dyn Store>,
}

impl Pair {
    async fn open(replica_lag: Duration) -> Self {
        let (primary, replica) = (Shop::open::<Mariadb>().await, Shop::open::<Mariadb>().await);
        for (shop, name) in [(&primary, "primary"), (&replica, "replica")] {
            shop.store.create(product(name, name, "1.00"), at(0)).await.unwrap();
        }
        let options = Options { replica_lag, ..patient() };
        let store = store::open(&primary.database.url(), Some(&replica.database.url()), &options).await.unwrap();
        Self { primary, replica, store }
    }

    /// Who answers each kind of read, which has to be the same one.
    async fn reads(&self) -> String {
        let everything = filter("", "", "");
        let got = self.store.get(id(1)).await.unwrap().details.name.as_str().to_owned();
        let listed = self.store.list(&query(&everything, "price"), None, limit(1)).await.unwrap();
        assert_eq!(listed.products[0].details.name.as_str(), got);
        let categories = self.store.categories().await.unwrap();
        assert!(categories.iter().any(|(name, _)| name.as_str() == got));
        let total = self.store.total(&filter(&got, "", "")).await.unwrap();
        assert_ne!(total, Total::Exact(0));
        got
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn reads_go_to_the_replica_and_writes_to_the_primary() {
    let pair = Pair::open(Duration::ZERO).await;
    assert_eq!(pair.reads().await, "replica");
    let changed = pair.store.update(id(1), priced("2.00"), None, at(1)).await.unwrap();
    assert_eq!(changed.details.name.as_str(), "primary");
    let made = pair.store.create(product("new", "new", "1.00"), at(1)).await.unwrap();
    pair.primary.store.get(made.id).await.unwrap();
    assert!(matches!(pair.replica.store.get(made.id).await, Err(StoreError::NotFound)));
    pair.store.delete(made.id, None).await.unwrap();
    assert_eq!(pair.reads().await, "replica", "without a lag there is nothing to wait for");
}

#[tokio::test]
async fn reads_follow_a_write_to_the_primary() {
    let pair = Pair::open(LONG).await;
    assert_eq!(pair.reads().await, "replica", "nothing has been written");
    pair.store.update(id(1), priced("2.00"), None, at(1)).await.unwrap();
    assert_eq!(pair.reads().await, "primary");
}

/// What the cache does when it hears of another process' write: computing anew from a replica that does not
/// have it yet would keep the old answer under the new generation.
#[tokio::test]
async fn reads_follow_a_write_of_another_process_once_it_is_told() {
    let pair = Pair::open(LONG).await;
    assert_eq!(pair.reads().await, "replica");
    pair.store.wrote_elsewhere();
    assert_eq!(pair.reads().await, "primary");
}

#[tokio::test]
async fn reads_follow_whatever_may_have_written() {
    let pair = Pair::open(LONG).await;
    pair.store.create(product("new", "new", "1.00"), at(1)).await.unwrap();
    assert_eq!(pair.reads().await, "primary");
    let pair = Pair::open(LONG).await;
    let missing = pair.store.delete(id(99), None).await;
    assert!(matches!(missing, Err(StoreError::NotFound)), "{missing:?}");
    assert_eq!(pair.reads().await, "primary");
}

/// The lag counts from the end of a write, which may have waited for longer than that.
#[tokio::test]
async fn reads_follow_a_write_that_took_long() {
    let pair = Pair::open(Duration::from_millis(1_000)).await;
    let held = pair.primary.database.hold().await;
    let writer = Arc::clone(&pair.store);
    let write = tokio::spawn(async move { writer.update(id(1), priced("2.00"), None, at(1)).await });
    // Until the beginning of the write is as long ago as that.
    let deadline = Instant::now() + Duration::from_secs(20);
    while pair.store.get(id(1)).await.unwrap().details.name.as_str() != "primary" {
        assert!(Instant::now() < deadline, "the write never began");
    }
    while pair.store.get(id(1)).await.unwrap().details.name.as_str() == "primary" {
        assert!(Instant::now() < deadline, "the reads never returned");
    }
    drop(held);
    write.await.unwrap().unwrap();
    assert_eq!(pair.store.get(id(1)).await.unwrap().details.price, "2.00".parse().unwrap());
}

/// Time passes here in earnest: half a second of it.
#[tokio::test]
async fn reads_return_to_the_replica() {
    let pair = Pair::open(Duration::from_millis(500)).await;
    pair.store.update(id(1), priced("2.00"), None, at(1)).await.unwrap();
    let written = Instant::now();
    let deadline = written + Duration::from_secs(20);
    while pair.store.get(id(1)).await.unwrap().details.name.as_str() == "primary" {
        assert!(Instant::now() < deadline, "the reads never returned");
    }
    assert!(written.elapsed() >= Duration::from_millis(400), "too early: {:?}", written.elapsed());
}

#[tokio::test]
async fn ping_asks_the_primary() {
    let pair = Pair::open(Duration::ZERO).await;
    pair.store.ping().await.unwrap();
    pair.primary.database.sql("DROP TABLE products").await;
    assert!(matches!(pair.store.ping().await, Err(StoreError::Unavailable(_))));
    pair.store.get(id(1)).await.unwrap();
}

#[tokio::test]
async fn only_mysql_has_replicas() {
    let (file, server) = (Shop::open::<Sqlite>().await, Shop::open::<Mariadb>().await);
    for (primary, replica) in [(&file, &server), (&server, &file), (&file, &file)] {
        let opened = store::open(&primary.database.url(), Some(&replica.database.url()), &Options::default()).await;
        let refused = opened.map(|_| ()).unwrap_err();
        assert!(matches!(refused, StoreError::Url(_)), "{refused:?}");
    }
}
