//! A migrated database of one test, on either engine, and questions to it in its own SQL.

use farmlokal_catalog::store::{self, DatabaseUrl, Options, Store};
use farmlokal_catalog::{NameKey, Timestamp};
use farmlokal_seed::{Generator, Plan, Report, SeedError};
use farmlokal_testkit::mariadb;
use sqlx::{AssertSqlSafe, Connection as _};
use std::sync::Arc;

use super::Quiet;

pub enum Target {
    Sqlite(tempfile::TempDir),
    Mariadb(mariadb::Database),
}

impl Target {
    /// A migrated database of each engine.
    pub async fn each() -> [Self; 2] {
        let mariadb = Self::Mariadb(mariadb::Database::create());
        store::migrate(&mariadb.url()).await.unwrap();
        [Self::sqlite().await, mariadb]
    }

    /// A migrated SQLite file.
    pub async fn sqlite() -> Self {
        let sqlite = Self::Sqlite(tempfile::tempdir().unwrap());
        store::migrate(&sqlite.url()).await.unwrap();
        sqlite
    }

    pub fn url_text(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
            Self::Mariadb(database) => database.url(),
        }
    }

    pub fn url(&self) -> DatabaseUrl {
        self.url_text().parse().unwrap()
    }

    pub async fn store(&self) -> Arc<dyn Store> {
        store::open(&self.url(), None, &Options::default()).await.unwrap()
    }

    /// Seeds with `plan`, to the end or until `quiet` stops it.
    pub async fn seed(&self, plan: Plan, quiet: Quiet) -> Result<Report, SeedError> {
        farmlokal_seed::run(&self.url(), plan, &quiet, &quiet.stop).await
    }

    /// The rows of one column that `sqlite` or `mariadb` selects.
    pub async fn texts(&self, sqlite: &str, mariadb: &str) -> Vec<String> {
        match self {
            Self::Sqlite(_) => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url_text()).await.unwrap();
                let texts = sqlx::query_scalar(AssertSqlSafe(sqlite)).fetch_all(&mut connection).await.unwrap();
                connection.close().await.unwrap();
                texts
            }
            Self::Mariadb(database) => database.execute(mariadb).lines().map(str::to_owned).collect(),
        }
    }

    /// The rows of one column that both engines select alike.
    pub async fn both(&self, sql: &str) -> Vec<String> {
        self.texts(sql, sql).await
    }

    /// How many products are recorded as loaded, and whether the seeding is finished.
    pub async fn recorded(&self) -> (u64, bool) {
        let run = self.both("SELECT CONCAT(loaded, ' ', finished) FROM seed_run").await;
        let Some((loaded, finished)) = run.first().and_then(|run| run.split_once(' ')) else { return (0, false) };
        (loaded.parse().unwrap(), finished == "1")
    }

    /// Every definition in the database, in its own words.
    pub async fn schema(&self) -> Vec<String> {
        let schema = self.texts(
            "SELECT name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
            "SHOW CREATE TABLE products; SHOW CREATE TABLE categories; SHOW CREATE TABLE seed_run",
        );
        let without_counter = |text: String| match text.split_once(" AUTO_INCREMENT=") {
            Some((before, after)) => format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => text,
        };
        schema.await.into_iter().map(without_counter).collect()
    }

    /// Checks that the database holds what `plan` makes, neither more nor less, all of it usable.
    pub async fn assert_seeded(&self, plan: Plan, schema: &[String]) {
        assert_eq!(self.recorded().await, (plan.rows, true));
        assert!(self.rows().await == expected_rows(plan), "the rows differ from the generator's");
        assert_eq!(self.schema().await, schema);
        let counted = "SELECT CONCAT(category, ' ', COUNT(*)) FROM products GROUP BY category ORDER BY category";
        let kept = "SELECT CONCAT(name, ' ', products) FROM categories ORDER BY name";
        assert_eq!(self.both(kept).await, self.both(counted).await);
    }

    /// Every column of every product, a line each.
    async fn rows(&self) -> Vec<String> {
        let rows = self.texts(
            "SELECT concat_ws('|', id, name, name_key, description, category, price, currency, unit, producer, stock, \
             created_at, updated_at, version) FROM products ORDER BY id",
            "SELECT CONCAT_WS('|', id, name, name_key, description, category, CAST(price * 100 AS SIGNED), currency, \
             unit, producer, stock, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at), \
             TIMESTAMPDIFF(MICROSECOND, '1970-01-01', updated_at), version) FROM products ORDER BY id",
        );
        rows.await
    }
}

fn expected_rows(plan: Plan) -> Vec<String> {
    let micros = Timestamp::micros;
    let line = |product: farmlokal_catalog::store::bulk::BulkProduct| {
        let (details, at) = (product.details, micros(product.created_at));
        let texts =
            [details.name.as_str(), NameKey::from(&details.name).as_str(), details.description.as_str()].join("|");
        format!(
            "{}|{texts}|{}|{}|{}|{}|{}|{}|{at}|{at}|1",
            product.id,
            details.category,
            details.price.minor(),
            details.currency.as_str(),
            details.unit,
            details.producer,
            details.stock
        )
    };
    Generator::new(plan.seed).products(1, plan.rows).unwrap().into_iter().map(line).collect()
}
