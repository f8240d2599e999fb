//! Each SELECT reads the index that is meant for it, from where it should, and no more of it than it must.

use farmlokal_testkit::mariadb::Database;
use serde_json::Value;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Execute as _, Row as _};

use super::listing::{self, Select};
use crate::shape::Index;
use crate::store::plan_cases::{self, Case, Form, ROWS, cases};
use crate::{Filter, Limit, NameKey, Position, ProductId};

/// The table lives as long as the [`Database`].
async fn table() -> (Database, MySqlConnection) {
    let database = Database::create();
    super::migrate(&database.url().parse().unwrap()).await.unwrap();
    let options: MySqlConnectOptions = database.url().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    for first in (1..=ROWS).step_by(1_000) {
        let mut insert = Select::new(
            "INSERT INTO products (id, name, name_key, description, category, price, currency, unit, producer, \
             stock, created_at, updated_at) ",
        );
        insert.push_values(first..first + 1_000, |mut values, n| {
            let (details, at) = plan_cases::row(n);
            values.push_bind(n);
            values.push_bind(details.name.as_str().to_owned());
            values.push_bind(NameKey::from(&details.name).as_str().to_owned());
            values.push_bind(details.description.as_str().to_owned());
            values.push_bind(details.category.as_str().to_owned());
            values.push_bind(details.price.to_decimal());
            values.push("'INR', '500 g', 'Sharma Farm', 7");
            values.push_bind(at.to_utc()).push_bind(at.to_utc());
        });
        insert.build().persistent(false).execute(&mut connection).await.unwrap();
    }
    run(&mut connection, "ANALYZE TABLE products").await;
    (database, connection)
}

async fn run(connection: &mut MySqlConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.unwrap();
}

fn select(case: &Case) -> Select {
    let sort = (case.shape.key, case.shape.direction);
    listing::sorted(&case.filter, sort, case.after.as_ref(), Limit::default(), case.index)
}

/// What the server says about how it reads one table.
#[derive(Debug, PartialEq)]
struct Read {
    /// `ref` and `range` start where they should, `index` at an end; `ALL` reads everything.
    access: String,
    key: String,
    parts: Vec<String>,
    /// Whether its rows are sorted afterwards or kept in a temporary table.
    sorted: bool,
}

async fn explain(connection: &mut MySqlConnection, mut select: Select) -> Read {
    let mut query = select.build();
    let arguments = query.take_arguments().unwrap().unwrap_or_default();
    let sql = format!("EXPLAIN FORMAT=JSON {}", query.sql().as_str());
    let row = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_one(connection).await.unwrap();
    let text: String = row.get(0);
    let plan: Value = serde_json::from_str(&text).unwrap();
    let table = find(&plan).unwrap_or_else(|| panic!("{text}"));
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Read {
        access: words(&table["access_type"]),
        key: words(&table["key"]),
        parts: table["used_key_parts"].as_array().map(|parts| parts.iter().map(words).collect()).unwrap_or_default(),
        sorted: text.contains("filesort") || text.contains("temporary_table"),
    }
}

/// The part of `plan` about the one table, which may stand within a derived one.
fn find(plan: &Value) -> Option<&Value> {
    match plan {
        Value::Object(members) if members.get("table_name").is_some_and(|name| name != "<derived2>") => Some(plan),
        Value::Object(members) => members.values().find_map(find),
        Value::Array(items) => items.iter().find_map(find),
        _ => None,
    }
}

fn key(index: Index) -> String {
    listing::hint(index).replace("FORCE INDEX (", "").replace(')', "")
}

/// The plan that `case` must have.
fn expected(case: &Case) -> Read {
    let mut sought = case.sought();
    if case.form == Form::Range && matches!(case.after, Some(Position::Id(_))) {
        // MariaDB makes use of the id as well, at the ends of the range.
        sought.push("id");
    }
    let (access, parts) = match *sought {
        [] => ("index", columns(case.index)),
        ["category"] => ("ref", sought),
        _ => ("range", sought),
    };
    Read {
        access: access.to_owned(),
        key: key(case.index),
        parts: parts.into_iter().map(str::to_owned).collect(),
        sorted: case.form == Form::Range,
    }
}

fn columns(index: Index) -> Vec<&'static str> {
    match index {
        Index::Primary => vec!["id"],
        Index::Price => vec!["price", "id"],
        Index::Name => vec!["name_key", "id"],
        Index::Created => vec!["created_at", "id"],
        Index::Category => vec!["category", "id"],
        Index::CategoryPrice => vec!["category", "price", "id"],
        Index::CategoryName => vec!["category", "name_key", "id"],
        Index::CategoryCreated => vec!["category", "created_at", "id"],
    }
}

#[tokio::test]
async fn listings_have_their_plans() {
    let (_database, mut connection) = table().await;
    // Twice, since MariaDB plans a prepared statement anew each time, and not always alike.
    for case in cases().iter().chain(&cases()) {
        assert_eq!(explain(&mut connection, select(case)).await, expected(case), "{case:?}");
    }
}

#[tokio::test]
async fn everything_else_has_its_plan() {
    let (_database, mut connection) = table().await;
    let id = |id| ProductId::new(id).unwrap();
    let read = |access: &str, key: &str, parts: &[&str]| Read {
        access: access.to_owned(),
        key: key.to_owned(),
        parts: parts.iter().map(|&part| part.to_owned()).collect(),
        sorted: false,
    };
    let by_id = explain(&mut connection, listing::by_id(id(7))).await;
    assert_eq!(by_id, read("const", "PRIMARY", &["id"]));
    let page: Vec<ProductId> = (1..=100).map(id).collect();
    let by_ids = explain(&mut connection, listing::by_ids(&page)).await;
    assert_eq!(by_ids, read("range", "PRIMARY", &["id"]));
    let categories = explain(&mut connection, Select::new(listing::CATEGORIES)).await;
    assert_eq!(categories, read("index", "PRIMARY", &["name"]));
    for filter in cases().into_iter().map(|case| case.filter).chain([Filter::default()]) {
        let expected = match (filter.category.is_some(), filter.price.bounds().is_some()) {
            (true, false) => read("ref", "by_category", &["category"]),
            (false, _) => read("range", "by_price", &["price"]),
            (true, true) => read("range", "by_category_price", &["category", "price"]),
        };
        assert_eq!(explain(&mut connection, listing::count(&filter, 10_001)).await, expected, "{filter:?}");
    }
}

/// How many rows and index entries the server reads for the page of `case`, and how many rows it has.
async fn cost(connection: &mut MySqlConnection, case: &Case) -> (u64, usize) {
    run(connection, "FLUSH STATUS").await;
    let rows = select(case).build().fetch_all(&mut *connection).await.unwrap();
    let counters = sqlx::query("SHOW SESSION STATUS LIKE 'Handler_read%'").fetch_all(connection).await.unwrap();
    let read = counters.iter().map(|counter| counter.get::<String, _>(1).parse::<u64>().unwrap()).sum();
    (read, rows.len())
}

#[tokio::test]
async fn a_page_in_the_middle_costs_what_the_first_one_does() {
    let (_database, mut connection) = table().await;
    for ties in [false, true] {
        if ties {
            // The very values of the positions, so that all of them stand in the middle of one tie.
            run(&mut connection, "UPDATE products SET price = 255, name_key = 'organic mango 5'").await;
            run(&mut connection, "UPDATE products SET created_at = '2024-01-01' + INTERVAL 500000 MINUTE").await;
            run(&mut connection, "ANALYZE TABLE products").await;
        }
        // A range that is sorted is short as a whole; one that is walked has to be wide.
        let wide = |case: &Case| case.form == Form::Ordered || case.filter.price.max().is_none();
        for case in cases().iter().filter(|case| case.form != Form::Range && wide(case)) {
            let (read, rows) = cost(&mut connection, case).await;
            assert_eq!(rows, 21, "{case:?}");
            // One more is read where a range ends.
            assert!(read <= 22, "{read} for {case:?}, ties: {ties}");
        }
    }
}
