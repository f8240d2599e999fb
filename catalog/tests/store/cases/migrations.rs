//! Tables are brought up to date by any number of processes at once, after anything that went before.

use std::process::Command;

use farmlokal_catalog::store::{self, DatabaseUrl, StoreError};

use crate::engine::{Database, Mariadb, Shop, Sqlite, patient};
use crate::sample::{at, product};

/// The database that [`child`] migrates.
const CHILD_URL: &str = "FARMLOKAL_TEST_MIGRATE_URL";

/// As [`conformance`](crate::engine::conformance), for databases without tables.
macro_rules! on_each_engine {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $case() { super::$case::<crate::engine::Sqlite>().await; })*
        }
        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $case() { super::$case::<crate::engine::Mariadb>().await; })*
        }
    };
}

on_each_engine!(many_at_once_succeed, many_processes_at_once_succeed, twice_is_once, a_newer_database_is_refused);

/// Whether a product can be written and read.
async fn works(url: &DatabaseUrl) {
    let store = store::open(url, None, &patient()).await.unwrap();
    let made = store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    assert_eq!(store.get(made.id).await.unwrap(), made);
    store.close().await;
}

async fn many_at_once_succeed<D: Database>() {
    let database = D::empty().await;
    let migrate = |_| {
        let url = database.url();
        tokio::spawn(async move { store::migrate(&url).await })
    };
    let tasks: Vec<_> = (0..8).map(migrate).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    works(&database.url()).await;
}

async fn many_processes_at_once_succeed<D: Database>() {
    let database = D::empty().await;
    let this = std::env::current_exe().unwrap();
    let start = |_| {
        let mut child = Command::new(&this);
        child.args(["--ignored", "--exact", "cases::migrations::child"]).env(CHILD_URL, database.raw_url());
        child.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(start).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
    }
    works(&database.url()).await;
}

/// Run by [`many_processes_at_once_succeed`] in processes of their own.
#[tokio::test]
#[ignore = "a part of another test"]
async fn child() {
    let Ok(url) = std::env::var(CHILD_URL) else { return };
    store::migrate(&url.parse().unwrap()).await.unwrap();
}

async fn twice_is_once<D: Database>() {
    let database = D::empty().await;
    store::migrate(&database.url()).await.unwrap();
    works(&database.url()).await;
    let applied = "SELECT version FROM _sqlx_migrations ORDER BY version";
    let before = database.sql(applied).await;
    store::migrate(&database.url()).await.unwrap();
    assert_eq!(database.sql(applied).await, before);
    assert_eq!(database.sql("SELECT name FROM products").await, ["Milk"]);
}

async fn a_newer_database_is_refused<D: Database>() {
    let database = D::empty().await;
    store::migrate(&database.url()).await.unwrap();
    database
        .sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', TRUE, 'x', 1)")
        .await;
    let refused = store::migrate(&database.url()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Migrate(_)), "{refused:?}");
    let told = refused.to_string();
    assert!(told.contains("newer than this program") && told.contains("9999"), "{told}");
}

/// MySQL commits after each statement that defines something: a migration can be cut short anywhere.
#[tokio::test]
async fn mariadb_a_migration_that_was_cut_short_is_run_again() {
    let whole = Shop::open::<Mariadb>().await;
    whole.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for lost in ["categories", "seed_run", "seed_run, categories"] {
        whole.database.sql(&format!("DROP TABLE {lost}")).await;
        whole.database.sql("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 1").await;
        // What came after has not been applied either.
        whole.database.sql("DELETE FROM _sqlx_migrations WHERE version > 1").await;
        store::migrate(&whole.database.url()).await.unwrap();
        assert_eq!(whole.database.sql("SELECT version FROM _sqlx_migrations WHERE NOT success").await, [""; 0]);
        assert_eq!(whole.database.sql("SELECT COUNT(*) FROM seed_run, categories").await.len(), 1);
    }
    works(&whole.database.url()).await;
    assert_eq!(whole.database.sql("SELECT name FROM products").await, ["Milk", "Milk"], "nothing is lost");
}

/// A catalogue of the last release, with products, and with a seeding that was interrupted.
async fn has_no_full_text_any_more(shop: &Shop, full_text: &[&str], deferred: &str, left: &str) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    for sql in full_text {
        shop.database.sql(sql).await;
    }
    let insert = "INSERT INTO seed_run (one, seed, wanted, loaded, deferred) VALUES (1, 42, 10, 1, ";
    shop.database.sql(&format!("{insert}'{deferred}')")).await;
    shop.database.sql("DELETE FROM _sqlx_migrations WHERE version = 10").await;
    store::migrate(&shop.database.url()).await.unwrap();
    assert_eq!(shop.database.sql("SELECT deferred FROM seed_run").await, [left]);
    assert_eq!(shop.database.sql("SELECT name FROM products").await, ["Milk"]);
    works(&shop.database.url()).await;
}

#[tokio::test]
async fn mariadb_has_no_full_text_any_more() {
    let shop = Shop::open::<Mariadb>().await;
    let indexes = "SELECT DISTINCT index_name FROM information_schema.statistics \
                   WHERE table_schema = DATABASE() AND table_name = 'products' ORDER BY index_name";
    let fresh = shop.database.sql(indexes).await;
    let hidden = "SELECT name FROM information_schema.innodb_sys_tables WHERE name LIKE CONCAT(DATABASE(), '/FTS%')";
    assert_eq!(shop.database.sql(hidden).await, [""; 0], "nothing of full text is in a fresh database");
    let add = "ALTER TABLE products ADD FULLTEXT INDEX by_words (name, description, producer)";
    let keys = r#"["KEY `by_price` (`price`,`id`)","FULLTEXT KEY `by_words` (`name`,`description`,`producer`)"]"#;
    has_no_full_text_any_more(&shop, &[add], keys, r#"["KEY `by_price` (`price`,`id`)"]"#).await;
    assert_eq!(shop.database.sql(indexes).await, fresh);
    // Run again, as after it was cut short.
    shop.database.sql("DELETE FROM _sqlx_migrations WHERE version = 10").await;
    store::migrate(&shop.database.url()).await.unwrap();
    assert_eq!(shop.database.sql("SELECT deferred FROM seed_run").await, [r#"["KEY `by_price` (`price`,`id`)"]"#]);
}

#[tokio::test]
async fn sqlite_has_no_full_text_any_more() {
    let shop = Shop::open::<Sqlite>().await;
    let schema = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master ORDER BY name)";
    let fresh = shop.database.sql(schema).await;
    let full_text = [
        "CREATE VIRTUAL TABLE product_words USING fts5 (name, content = 'products', content_rowid = 'id')",
        "CREATE TRIGGER product_words_insert AFTER INSERT ON products BEGIN \
         INSERT INTO product_words (rowid, name) VALUES (new.id, new.name); END",
    ];
    let index = r#"{"kind":"index","name":"by_price","sql":"CREATE INDEX by_price ON products (price)"}"#;
    let trigger = r#"{"kind":"trigger","name":"product_words_insert","sql":"CREATE TRIGGER"}"#;
    let (both, one) = (format!("[{index},{trigger}]"), format!("[{index}]"));
    has_no_full_text_any_more(&shop, &full_text, &both, &one).await;
    assert_eq!(shop.database.sql(schema).await, fresh);
}

/// A killed process leaves SQLite's lock file behind, not the lock.
#[tokio::test]
async fn sqlite_a_lock_file_left_behind_is_no_lock() {
    let database = Sqlite::empty().await;
    let file = database.raw_url().trim_start_matches("sqlite:").to_owned();
    std::fs::write(format!("{file}.migrate.lock"), "").unwrap();
    store::migrate(&database.url()).await.unwrap();
    works(&database.url()).await;
}
