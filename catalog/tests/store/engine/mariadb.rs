//! MariaDB, a database on the server that the test run shares.

use async_trait::async_trait;
use farmlokal_catalog::Price;
use farmlokal_testkit::mariadb;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::{Database, quoted};
use crate::sample::Row;

pub(crate) struct Mariadb(mariadb::Database);

impl Mariadb {
    pub(crate) async fn connect(&self) -> Result<MySqlConnection, sqlx::Error> {
        let options: MySqlConnectOptions = self.0.url().parse()?;
        options.connect().await
    }
}

#[async_trait]
impl Database for Mariadb {
    async fn empty() -> Self {
        Self(mariadb::Database::create())
    }

    fn raw_url(&self) -> String {
        self.0.url()
    }

    async fn execute(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let mut connection = self.connect().await?;
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await?;
        connection.close().await?;
        rows.iter().map(|row| row.try_get_unchecked(0)).collect()
    }

    async fn hold(&self) -> Box<dyn Send> {
        let mut connection = self.connect().await.unwrap();
        let lock = "BEGIN; SELECT id FROM products WHERE id = 1 FOR UPDATE";
        sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
        Box::new(connection)
    }

    fn price(&self, price: Price) -> String {
        price.to_string()
    }

    fn values(&self, row: &Row) -> String {
        let details = &row.details;
        let at = row.created_at.to_utc().format("'%Y-%m-%d %H:%M:%S%.6f'");
        format!(
            "{}, {}, {}, {}, {}, {}, '{}', {}, {}, {}, {at}, {at}, 1",
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
}
