//! Databases that are not as they should be.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use farmlokal_catalog::store::{self, DatabaseUrl, Options, Store, StoreError};

use crate::engine::{Database as _, Mariadb, Shop, Sqlite, conformance, patient};
use crate::model::orders;
use crate::sample::{at, filter, id, limit, priced, product, query};

conformance!(
    a_row_that_no_product_can_be_is_corrupt,
    a_category_that_none_can_be_is_corrupt,
    without_an_index_it_is_unavailable,
    without_tables_it_is_unavailable,
    a_closed_store_is_unavailable,
);

async fn a_row_that_no_product_can_be_is_corrupt(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let whole = shop.store.create(product("Honey", "Dairy", "1.00"), at(0)).await.unwrap();
    for (field, value) in [
        ("category", "''"),
        ("category", "' Dairy'"),
        ("name", "''"),
        ("name", "'two\nlines'"),
        ("description", "'bell \u{7}'"),
        ("currency", "'inr'"),
        ("unit", "''"),
        ("producer", "' '"),
        ("version", "0"),
        ("version", "-7"),
    ] {
        shop.database.sql(&format!("UPDATE products SET {field} = {value} WHERE id = 1")).await;
        let is_corrupt = |error: StoreError| {
            assert!(
                matches!(&error, StoreError::Corrupt { id: 1, field: told } if told == field),
                "{field} = {value}: {error:?}"
            );
        };
        is_corrupt(shop.store.get(id(1)).await.unwrap_err());
        let list = shop.store.list(&query(&filter("", "", ""), ""), None, limit(20)).await;
        is_corrupt(list.unwrap_err());
        is_corrupt(shop.store.update(id(1), priced("2.00"), None, at(1)).await.unwrap_err());
        is_corrupt(shop.store.delete(id(1), None).await.unwrap_err());
        assert_eq!(shop.store.get(id(2)).await.unwrap(), whole);
        let good = if field == "version" { "1".to_owned() } else { format!("'{}'", good(field)) };
        shop.database.sql(&format!("UPDATE products SET {field} = {good} WHERE id = 1")).await;
        shop.store.get(id(1)).await.unwrap();
    }
}

/// What `field` may hold.
fn good(field: &str) -> &'static str {
    match field {
        "currency" => "INR",
        _ => "Milk",
    }
}

async fn a_category_that_none_can_be_is_corrupt(shop: &Shop) {
    for (name, products) in [("''", 1), ("' x'", 1), ("'a\nb'", 1)] {
        shop.database.sql(&format!("INSERT INTO categories (name, products) VALUES ({name}, {products})")).await;
        let corrupt = shop.store.categories().await;
        assert!(matches!(&corrupt, Err(StoreError::Corrupt { field, .. }) if field == "category"), "{corrupt:?}");
        shop.database.sql("DELETE FROM categories").await;
    }
    assert_eq!(shop.store.categories().await.unwrap(), []);
}

/// What a seeding in progress looks like: rows, and indexes to come.
async fn without_an_index_it_is_unavailable(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for index in [
        "by_price",
        "by_name",
        "by_created",
        "by_category",
        "by_category_price",
        "by_category_name",
        "by_category_created",
    ] {
        shop.database.drop_index(index).await;
    }
    for filter in [filter("", "", ""), filter("Dairy", "", ""), filter("", "1.00", ""), filter("Dairy", "1.00", "")] {
        for order in orders() {
            let listed = shop.store.list(&query(&filter, &order.to_string()), None, limit(20)).await;
            let needs_none = filter == Default::default() && order.to_string().ends_with("id");
            assert_eq!(listed.is_ok(), needs_none, "{filter:?} {order}: {listed:?}");
            assert!(matches!(listed, Ok(_) | Err(StoreError::Unavailable(_))), "{listed:?}");
        }
        let total = shop.store.total(&filter).await;
        assert!(matches!(total, Err(StoreError::Unavailable(_))), "{filter:?}: {total:?}");
    }
    shop.store.get(id(1)).await.unwrap();
    shop.store.ping().await.unwrap();
}

async fn without_tables_it_is_unavailable(shop: &Shop) {
    shop.database.sql("DROP TABLE products").await;
    shop.database.sql("DROP TABLE categories").await;
    is_unavailable(&*shop.store, "no tables").await;
}

async fn a_closed_store_is_unavailable(shop: &Shop) {
    shop.store.close().await;
    is_unavailable(&*shop.store, "closed").await;
    shop.reopen(&patient()).await.ping().await.unwrap();
}

/// Every operation says so, and soon.
async fn is_unavailable(store: &dyn Store, why: &str) {
    let everything = filter("", "", "");
    let start = Instant::now();
    let said = [
        store.ping().await.unwrap_err(),
        store.get(id(1)).await.unwrap_err(),
        store.list(&query(&everything, ""), None, limit(20)).await.unwrap_err(),
        store.total(&everything).await.unwrap_err(),
        store.categories().await.unwrap_err(),
        store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap_err(),
        store.update(id(1), priced("2.00"), None, at(1)).await.unwrap_err(),
        store.delete(id(1), None).await.unwrap_err(),
    ];
    for error in said {
        assert!(matches!(error, StoreError::Unavailable(_) | StoreError::Busy), "{why}: {error:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{why}: {:?}", start.elapsed());
}

fn impatient() -> Options {
    Options { acquire_timeout: Duration::from_millis(200), ..Options::default() }
}

#[tokio::test]
async fn mariadb_that_cannot_be_reached_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = free.local_addr().unwrap();
    let url: DatabaseUrl = format!("mysql://a:b@{silent}/c").parse().unwrap();
    // Takes the connection and says nothing.
    let store = store::open(&url, None, &impatient()).await.unwrap();
    is_unavailable(&*store, "silent").await;
    drop(free);
    let store = store::open(&url, None, &impatient()).await.unwrap();
    is_unavailable(&*store, "nobody there").await;
    assert!(store::migrate(&url).await.is_err());
    assert!(store::wait_for(&url, Duration::from_millis(1)).await.is_err());
}

#[tokio::test]
async fn mariadb_that_lets_nobody_in_is_unavailable() {
    let database = Mariadb::empty().await;
    let wrong = [
        database.raw_url().replacen("farmlokal:", "farmlokal:wrong", 1),
        database.raw_url().replace("/test_", "/no_such_database_"),
    ];
    for url in wrong {
        let store = store::open(&url.parse().unwrap(), None, &impatient()).await.unwrap();
        is_unavailable(&*store, "refused").await;
    }
}

#[tokio::test]
async fn mariadb_dates_that_are_none_are_corrupt() {
    let shop = Shop::open::<Mariadb>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for field in ["created_at", "updated_at"] {
        shop.database.sql(&format!("SET sql_mode = ''; UPDATE products SET {field} = '0000-00-00 00:00:00'")).await;
        let corrupt = shop.store.get(id(1)).await;
        assert!(matches!(&corrupt, Err(StoreError::Corrupt { id: 1, field: told }) if told == field), "{corrupt:?}");
        shop.database.sql(&format!("UPDATE products SET {field} = '2026-01-01'")).await;
    }
    shop.database.sql("UPDATE products SET price = -0.01").await;
    let corrupt = shop.store.get(id(1)).await;
    assert!(matches!(&corrupt, Err(StoreError::Corrupt { id: 1, field }) if field == "price"), "{corrupt:?}");
}

#[tokio::test]
async fn sqlite_bytes_that_are_no_text_are_corrupt() {
    let shop = Shop::open::<Sqlite>().await;
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for (field, value) in
        [("name", "CAST(x'ff' AS TEXT)"), ("stock", "4294967296"), ("created_at", "9223372036854775807")]
    {
        shop.database.sql(&format!("UPDATE products SET {field} = {value}")).await;
        let corrupt = shop.store.get(id(1)).await;
        assert!(matches!(&corrupt, Err(StoreError::Corrupt { id: 1, field: told }) if told == field), "{corrupt:?}");
        shop.database.sql("DELETE FROM products").await;
        let values = "1, 'Milk', 'milk', '', 'Dairy', 100, 'INR', 'l', 'x', 1, 0, 0, 1";
        shop.database.sql(&format!("INSERT INTO products VALUES ({values})")).await;
    }
}

#[tokio::test]
async fn sqlite_in_a_place_where_none_can_be_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "no database at all, but long enough to be read as the head of one: ".repeat(20)).unwrap();
    let below: DatabaseUrl = format!("sqlite:{}/below/catalogue.db", file.display()).parse().unwrap();
    for refused in [store::migrate(&below).await, store::open(&below, None, &impatient()).await.map(|_| ())] {
        let Err(StoreError::File { path, .. }) = refused else { panic!("{refused:?}") };
        assert!(path.ends_with("below"), "{path}");
    }
    let no_database: DatabaseUrl = format!("sqlite:{}", file.display()).parse().unwrap();
    assert!(store::migrate(&no_database).await.is_err());
    assert!(store::open(&no_database, None, &impatient()).await.is_err());
}
