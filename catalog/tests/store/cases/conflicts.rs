//! Transactions that are in each other's way: the store runs them again, and callers never notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use farmlokal_catalog::inbox::SourceName;
use farmlokal_catalog::store::changes::Change;
use farmlokal_catalog::store::{self, Listener, Listeners, Options, Store};
use farmlokal_catalog::supply::{Offer, Progress};
use farmlokal_catalog::{ProductId, ProductPatch};
use sqlx::Connection as _;

use crate::engine::{Database as _, Mariadb, Shop, conformance, patient};
use crate::sample::{at, id, product};

conformance!(syncs_beside_writers_never_fail);

const CATEGORIES: u64 = 8;
const WRITERS: i64 = 3;

fn category(number: u64) -> String {
    format!("Category {}", number % CATEGORIES)
}

fn moved_to(number: u64) -> ProductPatch {
    ProductPatch { category: category(number).parse().ok(), ..ProductPatch::default() }
}

/// Three suppliers and three writers, whose products are in the same few categories. Each supplier lists the categories
/// in an order of its own, which once made each of them wait for the others.
async fn syncs_beside_writers_never_fail(shop: &Shop) {
    for number in 0..WRITERS {
        shop.store.create(product("Milk", &category(number as u64), "1.00"), at(0)).await.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for supplier in 0..3 {
        tasks.spawn(sync(Arc::clone(&shop.store), supplier));
        tasks.spawn(write(Arc::clone(&shop.store), id(supplier as i64 + 1)));
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let counted: u64 = shop.store.categories().await.unwrap().iter().map(|(_, products)| products).sum();
    let products = shop.database.sql("SELECT CAST(COUNT(*) AS CHAR) FROM products").await;
    assert_eq!(products, [counted.to_string()]);
    let wrong = "SELECT CAST(COUNT(*) AS CHAR) FROM categories c WHERE c.products <> \
                 (SELECT COUNT(*) FROM products p WHERE p.category = c.name)";
    assert_eq!(shop.database.sql(wrong).await, ["0"]);
}

async fn sync(store: Arc<dyn Store>, supplier: u64) {
    let name: SourceName = format!("supplier-{supplier}").parse().unwrap();
    store.request_sync(&name, at(0)).await.unwrap();
    let claim = store.claim_sync(&name, at(0), at(60)).await.unwrap().unwrap();
    for page in 0..12_u64 {
        let offer = |number: u64| Offer {
            external: format!("{number}").parse().unwrap(),
            details: product("Curd", &category(number * (2 * supplier + 1) + page), &format!("{page}.00")),
        };
        let offers = (0..40).map(offer).collect();
        let progress = Progress { failed: 0, next: Some(page.to_string()) };
        let taken = store.take_offers(&claim, offers, Some(progress), at(1), at(61)).await;
        assert!(taken.unwrap().is_some());
    }
}

async fn write(store: Arc<dyn Store>, product: ProductId) {
    for number in 0..60 {
        store.update(product, moved_to(number), None, at(1)).await.unwrap();
    }
}

#[derive(Default)]
struct Count(AtomicU32);

#[async_trait]
impl Listener for Count {
    async fn committed(&self, _: &Change) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Another transaction holds the category that the store's needs, and then wants the store's product. It has written
/// more, so the server undoes the store's.
#[tokio::test]
async fn mariadb_a_transaction_that_the_server_undoes_runs_again() {
    let database = Mariadb::empty().await;
    store::migrate(&database.url()).await.unwrap();
    let notified = Arc::new(Count::default());
    let listeners = Listeners::default().with(notified.clone());
    let store = store::open(&database.url(), None, &Options { listeners, ..patient() }).await.unwrap();
    store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let deadlocks = deadlocks(&database).await;

    let mut other = database.connect().await.unwrap();
    let lock = "BEGIN; UPDATE categories SET products = products + 5 WHERE name = 'Dairy'; \
                INSERT INTO categories (name, products) SELECT CONCAT('more ', seq), 1 FROM seq_1_to_200";
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
    let writer = Arc::clone(&store);
    let update = tokio::spawn(async move { writer.update(id(1), moved_to(1), None, at(1)).await });
    until_one_waits(&database).await;
    sqlx::raw_sql("SELECT id FROM products WHERE id = 1 FOR UPDATE").execute(&mut other).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    other.close().await.unwrap();

    assert_eq!(update.await.unwrap().unwrap().version.get(), 2, "written once");
    assert!(self::deadlocks(&database).await > deadlocks, "there was no deadlock");
    let counts = "SELECT CONCAT(name, ' ', products) FROM categories WHERE name IN ('Dairy', 'Category 1') ORDER BY 1";
    assert_eq!(database.sql(counts).await, ["Category 1 1", "Dairy 5"]);
    assert_eq!(notified.0.load(Ordering::Relaxed), 2, "one change each for the creation and the update");
}

async fn deadlocks(database: &Mariadb) -> u64 {
    let counter =
        "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_deadlocks'";
    database.sql(counter).await[0].parse().unwrap()
}

/// Waits until a transaction on this database waits for a lock.
async fn until_one_waits(database: &Mariadb) {
    let waiting = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.innodb_trx t \
                   JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id \
                   WHERE p.db = DATABASE() AND t.trx_state = 'LOCK WAIT'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while database.sql(waiting).await == ["0"] {
        assert!(Instant::now() < deadline, "the store's transaction never waited");
        // The server refreshes this table only when it has not been read for a tenth of a second.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
