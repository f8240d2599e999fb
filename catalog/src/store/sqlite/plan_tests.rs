//! Each SELECT reads the index that is meant for it, from where it should, and no more of it than it must.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Execute as _, Row as _};

use super::MIGRATIONS;
use super::engine::{BULK_ROWS, hint};
use super::sql::listing::{self, Select};
use super::sql::seeding;
use crate::shape::Index;
use crate::store::plan_cases::{self, Case, Form, cases};
use crate::{Direction, Filter, Limit, ProductId, SortKey};

async fn table() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    MIGRATIONS.run_direct(None, &mut connection, false).await.unwrap();
    for chunk in plan_cases::rows().chunks(BULK_ROWS) {
        seeding::insert(&mut connection, chunk).await.unwrap();
    }
    connection
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.unwrap();
}

fn select(case: &Case) -> Select {
    let sort = (case.shape.key, case.shape.direction);
    listing::sorted(&case.filter, sort, case.after.as_ref(), Limit::default(), case.index)
}

/// The plan of `select`, a line a step.
async fn explain(connection: &mut SqliteConnection, mut select: Select) -> Vec<String> {
    let mut query = select.build();
    let arguments = query.take_arguments().unwrap().unwrap_or_default();
    let sql = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

/// The plan that `case` must have.
fn expected(case: &Case) -> Vec<String> {
    let table = match case.index {
        Index::Primary if case.after.is_none() => "SCAN p".to_owned(),
        Index::Primary => "SEARCH p USING INTEGER PRIMARY KEY".to_owned(),
        index => {
            let how = if case.sought().is_empty() { "SCAN" } else { "SEARCH" };
            format!("{how} p USING INDEX {}", hint(index).replace("INDEXED BY ", ""))
        }
    };
    let mut range = Vec::new();
    if case.shape.category {
        range.push("category=?".to_owned());
    }
    range.extend(match (case.form, &case.after) {
        (Form::Range, _) | (Form::Ordered, None) if case.shape.price => vec!["price>?".into(), "price<?".into()],
        (_, None) => vec![],
        (_, Some(_)) => seek(case),
    });
    let table = if range.is_empty() { table } else { format!("{table} ({})", range.join(" AND ")) };
    let sort = (case.form == Form::Range).then(|| "USE TEMP B-TREE FOR ORDER BY".to_owned());
    [table].into_iter().chain(sort).collect()
}

/// From the row of the position on, key and id alike, to the end of the range that lies ahead.
fn seek(case: &Case) -> Vec<String> {
    let upwards = case.shape.direction == Direction::Ascending;
    let sign = if upwards { '>' } else { '<' };
    let column = match case.shape.key {
        SortKey::Id => return vec![format!("rowid{sign}?")],
        SortKey::Price => "price",
        SortKey::Name => "name_key",
        SortKey::CreatedAt => "created_at",
    };
    let seek = format!("({column},rowid){sign}(?,?)");
    match (case.form == Form::Ordered && case.shape.price, upwards) {
        (true, true) => vec![seek, "price<?".to_owned()],
        (true, false) => vec!["price>?".to_owned(), seek],
        (false, _) => vec![seek],
    }
}

#[tokio::test]
async fn listings_have_their_plans_with_and_without_statistics() {
    let mut connection = table().await;
    for analyzed in [false, true] {
        if analyzed {
            run(&mut connection, "ANALYZE").await;
        }
        for case in cases() {
            assert_eq!(explain(&mut connection, select(&case)).await, expected(&case), "{case:?} analyzed: {analyzed}");
        }
    }
}

#[tokio::test]
async fn everything_else_has_its_plan() {
    let mut connection = table().await;
    run(&mut connection, "ANALYZE").await;
    let id = |id| ProductId::new(id).unwrap();
    let by_key = "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(explain(&mut connection, listing::by_id(id(7))).await, [by_key]);
    assert_eq!(explain(&mut connection, listing::by_ids(&[id(7), id(9)])).await, [by_key]);
    assert_eq!(explain(&mut connection, Select::new(listing::CATEGORIES)).await, ["SCAN categories"]);
    for filter in cases().into_iter().map(|case| case.filter).chain([Filter::default()]) {
        let plan = explain(&mut connection, listing::count(&filter, 10_001)).await;
        let counts = match (filter.category.is_some(), filter.price.bounds().is_some()) {
            (false, false) => "SEARCH p USING COVERING INDEX by_price (price>?)",
            (true, false) => "SEARCH p USING COVERING INDEX by_category (category=?)",
            (false, true) => "SEARCH p USING COVERING INDEX by_price (price>? AND price<?)",
            (true, true) => "SEARCH p USING COVERING INDEX by_category_price (category=? AND price>? AND price<?)",
        };
        assert_eq!(plan[1], counts, "{filter:?}");
    }
}

/// How many instructions of its virtual machine SQLite needs for the page of `case`, and how many rows it has.
async fn cost(connection: &mut SqliteConnection, case: &Case) -> (u64, usize) {
    let counter = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&counter);
    connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
        count.fetch_add(1, Ordering::Relaxed);
        true
    });
    let rows = select(case).build().fetch_all(&mut *connection).await.unwrap();
    connection.lock_handle().await.unwrap().remove_progress_handler();
    (counter.load(Ordering::Relaxed), rows.len())
}

#[tokio::test]
async fn a_page_in_the_middle_costs_what_the_first_one_does() {
    let mut connection = table().await;
    for ties in [false, true] {
        if ties {
            // The very values of the positions, so that all of them stand in the middle of one tie.
            run(&mut connection, "UPDATE products SET price = 25500, name_key = 'organic mango 5'").await;
            run(&mut connection, "UPDATE products SET created_at = (28401120 + 500000) * 60000000").await;
        }
        // A range that is sorted is short as a whole; one that is walked has to be wide.
        let wide = |case: &Case| case.form == Form::Ordered || case.filter.price.max().is_none();
        for case in cases().iter().filter(|case| case.form != Form::Range && wide(case)) {
            let (instructions, rows) = cost(&mut connection, case).await;
            assert_eq!(rows, 21, "{case:?}");
            assert!(instructions < 1_500, "{instructions} for {case:?}, ties: {ties}");
        }
    }
}
