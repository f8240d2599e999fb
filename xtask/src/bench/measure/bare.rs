//! The bare statements of requests over one connection: what the database takes by itself.

use std::time::{Duration, Instant};

use farmlokal_catalog::shape::{NARROW, Plan, Shape};
use farmlokal_catalog::store::Engine;
use farmlokal_catalog::{Direction, Order, SortKey, Total};
use sqlx::mysql::MySqlConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ColumnIndex, ConnectOptions as _, Connection as _, Database, Decode, Row, Type};

use super::ask::{Ask, Listing, What};
use super::load::sleep_until;
use super::outcome::Outcome;
use super::statement::{self, Statement, Value};

/// Enough for a median.
const SAMPLES: usize = 200;
/// How long statements are tried before their rate is chosen.
const PROBE: Duration = Duration::from_millis(500);

/// One connection to a database.
pub(super) enum Bare {
    Sqlite(SqliteConnection),
    Mysql(MySqlConnection),
}

impl Bare {
    /// Connects as the service does.
    pub(super) async fn connect(url: &str) -> Result<Self, String> {
        let connected = if url.starts_with("sqlite:") {
            let options: SqliteConnectOptions = url.parse().map_err(told)?;
            let options =
                options.pragma("cache_size", "-8192").pragma("temp_store", "MEMORY").pragma("query_only", "ON");
            options.connect().await.map(Self::Sqlite)
        } else {
            MySqlConnection::connect(url).await.map(Self::Mysql)
        };
        connected.map_err(told)
    }

    /// The mean of what the statements of `asks` take, one after the other, in milliseconds. Warms up as well.
    pub(super) async fn probe(&mut self, asks: &[&Ask]) -> Result<f64, String> {
        let (start, mut outcome) = (Instant::now(), Outcome::new()?);
        for ask in asks.iter().take_while(|_| start.elapsed() < PROBE) {
            self.note(ask, &mut outcome).await?;
        }
        Ok(outcome.mean())
    }

    /// How long the statements of `asks` take at `rate` a second, as the requests are to come: a machine
    /// that is idle in between is slower to answer.
    pub(super) async fn measure(&mut self, asks: &[&Ask], rate: f64) -> Result<Outcome, String> {
        let (start, mut outcome) = (Instant::now(), Outcome::new()?);
        for (number, ask) in asks.iter().take(SAMPLES).enumerate() {
            sleep_until(start + Duration::from_secs_f64(number as f64 / rate));
            self.note(ask, &mut outcome).await?;
        }
        Ok(outcome)
    }

    async fn note(&mut self, ask: &Ask, outcome: &mut Outcome) -> Result<(), String> {
        let sent = Instant::now();
        self.answer(ask).await?;
        outcome.note(sent.elapsed(), Ok(()));
        Ok(())
    }

    async fn answer(&mut self, ask: &Ask) -> Result<(), String> {
        let engine = self.engine();
        let answered = match &ask.what {
            What::Product(id) => self.fetch(statement::by_id(engine, *id)).await.map(|_| ()),
            What::Categories => self.fetch(statement::categories(engine)).await.map(|_| ()),
            What::Listing(listing) => self.list(listing).await,
            What::Indexed => Ok(()),
        };
        answered.map_err(|error| format!("the statement of {}: {error}", ask.path))
    }

    async fn list(&mut self, listing: &Listing) -> Result<(), sqlx::Error> {
        let (engine, filter) = (self.engine(), listing.query.filter());
        let (key, direction) = match listing.query.order() {
            Order::By(key, direction) => (key, direction),
            Order::Relevance => (SortKey::Id, Direction::Ascending),
        };
        let index = match Shape::of(filter, key, direction).plan() {
            Plan::Ordered(index) => index,
            Plan::Bounded { range, walk } => {
                let narrow = i64::from(NARROW);
                let matches = self.fetch(statement::count(engine, filter, narrow + 1)).await?;
                if matches.first().is_some_and(|matches| *matches <= narrow) { range } else { walk }
            }
        };
        let after = listing.after.as_ref().map(|spot| &spot.position);
        let rows = i64::from(listing.limit.get()) + 1;
        let page = statement::page(engine, filter, (key, direction), (after, rows), index);
        self.fetch(page).await?;
        if listing.total {
            let count = statement::count(engine, filter, i64::from(Total::CAP) + 1);
            self.fetch(count).await?;
        }
        Ok(())
    }

    fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Mysql(_) => Engine::Mysql,
        }
    }

    /// Fetches all rows, and returns the first column.
    async fn fetch(&mut self, statement: Statement) -> Result<Vec<i64>, sqlx::Error> {
        let Statement { sql, values, .. } = statement;
        match self {
            Self::Sqlite(connection) => {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                        Value::Price(price) => query.bind(price.minor()),
                    };
                }
                first_column(&query.fetch_all(connection).await?)
            }
            Self::Mysql(connection) => {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for value in values {
                    query = match value {
                        Value::Number(number) => query.bind(number),
                        Value::Text(text) => query.bind(text),
                        Value::Price(price) => query.bind(price.to_decimal()),
                    };
                }
                first_column(&query.fetch_all(connection).await?)
            }
        }
    }
}

fn first_column<R: Row>(rows: &[R]) -> Result<Vec<i64>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    R::Database: Database,
{
    rows.iter().map(|row| row.try_get(0)).collect()
}

fn told(error: sqlx::Error) -> String {
    format!("the database: {error}")
}
