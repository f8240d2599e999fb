//! The dialect of MySQL and MariaDB: everything in which the shared statements differ from SQLite's.

use sqlx::mysql::MySqlQueryResult;
use sqlx::{Encode, Type};

use crate::ProductId;
use crate::shape::Index;

pub(super) use sqlx::MySql as Db;
pub(super) use sqlx::mysql::{MySqlConnection as Connection, MySqlRow as Row};

/// Begins a transaction that writes. Sessions are READ COMMITTED: a statement sees what is committed when it starts,
/// and locks no gaps between rows.
pub(super) const BEGIN: &str = "BEGIN";

/// Rows inserted by one statement of a bulk load. Large, since the end of each may wait 40 ms for a delayed
/// acknowledgement: sqlx 0.9.0 leaves Nagle's algorithm on (sqlx issue 4335). Over TLS 250 rows took 7 times as long.
pub(super) const BULK_ROWS: usize = 1_000;

/// Reserves the row of an external id, so that two callers do not both create its product. The row is without a
/// product until the transaction that reserved it says which.
pub(super) const RESERVE_EXTERNAL_ID: Option<&str> = Some(
    "INSERT INTO external_products (source, external_id) VALUES (?, ?) \
     ON DUPLICATE KEY UPDATE product_id = product_id",
);

/// The current time of the database.
macro_rules! now {
    () => {
        "UTC_TIMESTAMP(6)"
    };
}

/// The time `$seconds` ago, by the database's clock.
macro_rules! seconds_ago {
    ($seconds:literal) => {
        concat!("UTC_TIMESTAMP(6) - INTERVAL ", $seconds, " SECOND")
    };
}

/// Locks the rows of a SELECT until the transaction ends.
macro_rules! for_update {
    () => {
        " FOR UPDATE"
    };
    (skip locked) => {
        " FOR UPDATE SKIP LOCKED"
    };
}

/// Begins the assignments of an INSERT whose unique `$key` is taken.
macro_rules! on_conflict {
    ($key:literal) => {
        " ON DUPLICATE KEY UPDATE "
    };
}

/// The value that an INSERT had for `$column`, within [`on_conflict!`].
macro_rules! inserted {
    ($column:literal) => {
        concat!("VALUES (", $column, ")")
    };
}

/// The larger one of two values: a function's name.
macro_rules! greatest {
    () => {
        "GREATEST"
    };
}

/// Makes a statement read `$table` through `$index`.
macro_rules! through {
    ($table:literal, $index:literal) => {
        concat!("FORCE INDEX (", $index, ")")
    };
}

/// Joins two tables in the order in which they stand.
macro_rules! join_in_order {
    () => {
        "STRAIGHT_JOIN"
    };
}

/// Deletes the first rows of `$table` that meet `$condition`, by `$order`; the last argument is their number. `$key` is
/// the primary key.
macro_rules! delete_first {
    ($table:literal, $key:literal, $condition:expr, $order:literal) => {
        concat!("DELETE FROM ", $table, " WHERE ", $condition, " ORDER BY ", $order, " LIMIT ?")
    };
}

pub(super) use {delete_first, for_update, greatest, inserted, join_in_order, now, on_conflict, seconds_ago, through};

/// Returns the id that the database gave to an inserted row.
pub(super) fn inserted_id(done: &MySqlQueryResult) -> i64 {
    done.last_insert_id().cast_signed()
}

/// Makes a listing read `index`: the optimiser would choose another plan when a category or a price is very common or
/// rare.
pub(super) fn hint(index: Index) -> &'static str {
    match index {
        Index::Primary => "FORCE INDEX (PRIMARY)",
        Index::Price => "FORCE INDEX (by_price)",
        Index::Name => "FORCE INDEX (by_name)",
        Index::Created => "FORCE INDEX (by_created)",
        Index::Category => "FORCE INDEX (by_category)",
        Index::CategoryPrice => "FORCE INDEX (by_category_price)",
        Index::CategoryName => "FORCE INDEX (by_category_name)",
        Index::CategoryCreated => "FORCE INDEX (by_category_created)",
    }
}

/// Pushes the condition that a row comes after `(value, id)` in the order of `(column, id)`; `sign` is `>` or `<`.
///
/// MySQL uses no index range for a row value, `(a, id) > (x, y)`, but does for the same written out (manual, "Row
/// Constructor Expression Optimization"): `a >= x AND (a > x OR (a = x AND id > y))`.
pub(super) fn push_seek<V>(select: &mut sqlx::QueryBuilder<Db>, column: &str, sign: &str, value: V, id: ProductId)
where
    V: Clone + for<'q> Encode<'q, Db> + Type<Db> + Send + 'static,
{
    select.push(column).push(" ").push(sign).push("= ").push_bind(value.clone());
    select.push(" AND (").push(column).push(" ").push(sign).push(" ").push_bind(value.clone());
    select.push(" OR (").push(column).push(" = ").push_bind(value);
    select.push(" AND p.id ").push(sign).push(" ").push_bind(id).push("))");
}
