//! The engines that the suite runs on: each is one file, and one line of [`conformance`].

mod mariadb;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use farmlokal_catalog::store::{self, DatabaseUrl, Options, Store, StoreError};

use farmlokal_catalog::Price;

use crate::sample::Row;

pub(crate) use farmlokal_testkit::proxy::Proxy;
pub(crate) use mariadb::Mariadb;
pub(crate) use sqlite::Sqlite;

/// A database of one test's own, and a way to it that goes round the store.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    /// A database without tables.
    async fn empty() -> Self
    where
        Self: Sized;

    /// Where it is, as text with the password.
    fn raw_url(&self) -> String;

    /// Where it is.
    fn url(&self) -> DatabaseUrl {
        self.raw_url().parse().unwrap()
    }

    /// Runs one or more statements and gives the first column of each row as text.
    async fn execute(&self, sql: &str) -> Result<Vec<String>, sqlx::Error>;

    /// How this engine writes `row` between the brackets of `INSERT … VALUES (…)`; see [`COLUMNS`].
    fn values(&self, row: &Row) -> String;

    /// How this engine writes `price`.
    fn price(&self, price: Price) -> String;

    /// Takes what everybody needs who wants to write the product 1; gives it back when dropped.
    async fn hold(&self) -> Box<dyn Send>;

    /// Drops an index of the products.
    async fn drop_index(&self, name: &str) {
        self.sql(&format!("DROP INDEX {name} ON products")).await;
    }

    /// Refreshes the statistics that plans are chosen by.
    async fn analyze(&self) {
        self.sql("ANALYZE TABLE products").await;
    }

    /// [`execute`](Self::execute) of what must not fail.
    async fn sql(&self, sql: &str) -> Vec<String> {
        match self.execute(sql).await {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\nin: {sql:.500}"),
        }
    }
}

/// The columns of [`Database::values`].
const COLUMNS: &str = "id, name, name_key, description, category, price, currency, unit, producer, stock, \
                       created_at, updated_at, version";

/// A migrated database and the store on it.
pub(crate) struct Shop {
    pub(crate) database: Box<dyn Database>,
    pub(crate) store: Arc<dyn Store>,
}

impl Shop {
    pub(crate) async fn open<D: Database + 'static>() -> Self {
        let database = D::empty().await;
        store::migrate(&database.url()).await.unwrap();
        let store = open(&database, &patient()).await.unwrap();
        Self { database: Box::new(database), store }
    }

    /// A further store on the same database.
    pub(crate) async fn reopen(&self, options: &Options) -> Arc<dyn Store> {
        open(&*self.database, options).await.unwrap()
    }

    /// Keeps `rows` as they are, far faster than one by one through the store.
    pub(crate) async fn insert(&self, rows: &[Row]) {
        for chunk in rows.chunks(500) {
            let values: Vec<String> = chunk.iter().map(|row| format!("({})", self.database.values(row))).collect();
            self.database.sql(&format!("INSERT INTO products ({COLUMNS}) VALUES {}", values.join(", "))).await;
        }
        self.database.sql("DELETE FROM categories").await;
        self.database
            .sql("INSERT INTO categories (name, products) SELECT category, COUNT(*) FROM products GROUP BY category")
            .await;
        self.database.analyze().await;
    }
}

/// Options with which nothing is too slow, however busy the machine is.
pub(crate) fn patient() -> Options {
    let long = Duration::from_secs(60);
    Options { acquire_timeout: long, statement_timeout: long, ..Options::default() }
}

async fn open(database: &dyn Database, options: &Options) -> Result<Arc<dyn Store>, StoreError> {
    store::open(&database.url(), None, options).await
}

/// `text` as an SQL literal, for text without backslashes.
fn quoted(text: &str) -> String {
    assert!(!text.contains('\\'), "{text:?} means something else to MySQL");
    format!("'{}'", text.replace('\'', "''"))
}

/// Declares each case of a module, a function of a [`Shop`], as a test on each engine.
macro_rules! conformance {
    ($($case:ident),* $(,)?) => {
        crate::engine::conformance!(@ sqlite $crate::engine::Sqlite; $($case)*);
        crate::engine::conformance!(@ mariadb $crate::engine::Mariadb; $($case)*);
    };
    (@ $name:ident $engine:ty; $($case:ident)*) => {
        mod $name {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(&$crate::engine::Shop::open::<$engine>().await).await;
                }
            )*
        }
    };
}
pub(crate) use conformance;
