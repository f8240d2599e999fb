//! SQLite, a file in a directory of its own.

use async_trait::async_trait;
use farmlokal_catalog::Price;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempDir;

use super::{Database, quoted};
use crate::sample::Row;

pub(crate) struct Sqlite(TempDir);

impl Sqlite {
    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let file = self.0.path().join("catalogue.db");
        SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await
    }
}

#[async_trait]
impl Database for Sqlite {
    async fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn raw_url(&self) -> String {
        format!("sqlite:{}/catalogue.db", self.0.path().display())
    }

    async fn execute(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let mut connection = self.connect().await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
        connection.close().await?;
        rows.iter().map(|row| row.try_get_unchecked(0)).collect()
    }

    async fn hold(&self) -> Box<dyn Send> {
        let mut connection = self.connect().await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        Box::new(connection)
    }

    fn price(&self, price: Price) -> String {
        price.minor().to_string()
    }

    fn values(&self, row: &Row) -> String {
        let details = &row.details;
        let micros = row.created_at.micros();
        format!(
            "{}, {}, {}, {}, {}, {}, '{}', {}, {}, {}, {micros}, {micros}, 1",
            row.id,
            quoted(details.name.as_str()),
            quoted(row.name_key().as_str()),
            quoted(details.description.as_str()),
            quoted(details.category.as_str()),
            self.price(details.price),
            details.currency,
            quoted(details.unit.as_str()),
            quoted(details.producer.as_str()),
            details.stock,
        )
    }

    async fn drop_index(&self, name: &str) {
        self.sql(&format!("DROP INDEX {name}")).await;
    }

    async fn analyze(&self) {
        self.sql("ANALYZE").await;
    }
}
