//! The dialect of SQLite: everything in which the shared statements differ from MySQL's.

use sqlx::sqlite::SqliteQueryResult;
use sqlx::{Encode, Type};

use crate::ProductId;
use crate::shape::Index;

pub(super) use sqlx::Sqlite as Db;
pub(super) use sqlx::sqlite::{SqliteConnection as Connection, SqliteRow as Row};

/// Begins a transaction that writes. Takes the write lock at once: a transaction that reads first and writes later may
/// find the file changed in between.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Rows inserted by one statement of a bulk load: from here on, more of them gain nothing.
pub(super) const BULK_ROWS: usize = 250;

/// Nothing needs to be reserved: a transaction that writes is the only one.
pub(super) const RESERVE_EXTERNAL_ID: Option<&str> = None;

/// The current time of the database, in microseconds since 1970.
macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
}

/// The time `$seconds` ago, by the database's clock.
macro_rules! seconds_ago {
    ($seconds:literal) => {
        concat!("CAST((unixepoch('subsec') - ", $seconds, ") * 1000000 AS INTEGER)")
    };
}

/// Locks nothing: a transaction that writes is the only one.
macro_rules! for_update {
    () => {
        ""
    };
    (skip locked) => {
        ""
    };
}

/// Begins the assignments of an INSERT whose unique `$key` is taken.
macro_rules! on_conflict {
    ($key:literal) => {
        concat!(" ON CONFLICT (", $key, ") DO UPDATE SET ")
    };
}

/// The value that an INSERT had for `$column`, within [`on_conflict!`].
macro_rules! inserted {
    ($column:literal) => {
        concat!("excluded.", $column)
    };
}

/// The larger one of two values: a function's name.
macro_rules! greatest {
    () => {
        "max"
    };
}

/// Makes a statement read `$table` through `$index`; the names of indexes are unique in a file.
macro_rules! through {
    ($table:literal, $index:literal) => {
        concat!("INDEXED BY ", $table, "_", $index)
    };
}

/// Joins two tables in the order in which they stand.
macro_rules! join_in_order {
    () => {
        "CROSS JOIN"
    };
}

/// Deletes the first rows of `$table` that meet `$condition`, by `$order`; the last argument is their number. `$key` is
/// the primary key.
macro_rules! delete_first {
    ($table:literal, $key:literal, $condition:expr, $order:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $condition,
            " ORDER BY ",
            $order,
            " LIMIT ?)"
        )
    };
}

pub(super) use {delete_first, for_update, greatest, inserted, join_in_order, now, on_conflict, seconds_ago, through};

/// Returns the id that the database gave to an inserted row.
pub(super) fn inserted_id(done: &SqliteQueryResult) -> i64 {
    done.last_insert_rowid()
}

/// Makes a listing read `index`: SQLite refuses the statement rather than choose a worse plan.
pub(super) fn hint(index: Index) -> &'static str {
    match index {
        Index::Primary => "NOT INDEXED",
        Index::Price => "INDEXED BY by_price",
        Index::Name => "INDEXED BY by_name",
        Index::Created => "INDEXED BY by_created",
        Index::Category => "INDEXED BY by_category",
        Index::CategoryPrice => "INDEXED BY by_category_price",
        Index::CategoryName => "INDEXED BY by_category_name",
        Index::CategoryCreated => "INDEXED BY by_category_created",
    }
}

/// Pushes the condition that a row comes after `(value, id)` in the order of `(column, id)`; `sign` is `>` or `<`.
///
/// SQLite compares row values through an index. The rowid has no collation of its own, and without one SQLite seeks to
/// the value alone and walks from there through all rows that share it.
pub(super) fn push_seek<V>(select: &mut sqlx::QueryBuilder<Db>, column: &str, sign: &str, value: V, id: ProductId)
where
    V: for<'q> Encode<'q, Db> + Type<Db> + Send + 'static,
{
    select.push("(").push(column).push(", p.id) ").push(sign).push(" (").push_bind(value);
    select.push(", ").push_bind(id).push(" COLLATE BINARY)");
}
