//! Transactions that commit in another order than they took their numbers.

use farmlokal_catalog::ProductId;
use farmlokal_testkit::mariadb;
use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use sqlx::{MySql, Transaction};
use tempfile::TempDir;

use crate::bench::{Bench, details};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_shows_up_late_is_not_lost() {
    let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
    let bench = Bench::at(TempDir::new().unwrap(), &database.url()).await;
    let product = bench.create("Early Emmental", 1).await;
    let running = bench.ready().await;
    running.until_found("emmental", 1).await;

    // A transaction takes its number in the log and stays open …
    let mut slow = MySqlConnection::connect(&database.url()).await.unwrap();
    let transaction = rename_and_wait(&mut slow, product.id, "Late Limburger").await;
    // … while others with higher numbers commit and are followed.
    for number in 0..5 {
        bench.store.create(details(&format!("Quick Quark {number}"), number), crate::bench::at()).await.unwrap();
    }
    running.until_found("quark", 5).await;
    assert_eq!(running.found("emmental").len(), 1, "not committed yet");
    transaction.commit().await.unwrap();
    running.until_found("limburger", 1).await;
    running.cut_off().await;

    // The same with a restart in between: the position on disk is the one before the gap.
    let transaction = rename_and_wait(&mut slow, product.id, "Latest Leerdammer").await;
    bench.create("Skipping Skyr", 3).await;
    let running = bench.ready().await;
    running.until_found("skyr", 1).await;
    running.cut_off().await;
    transaction.commit().await.unwrap();
    let running = bench.ready().await;
    running.until_found("leerdammer", 1).await;
    running.cut_off().await;
    bench.store.close().await;
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
}

/// Renames a product and notes it in the log, in a transaction that is left open.
async fn rename_and_wait<'a>(connection: &'a mut MySqlConnection, id: ProductId, name: &str) -> Transaction<'a, MySql> {
    let mut transaction = connection.begin().await.unwrap();
    sqlx::query("UPDATE products SET name = ?, name_key = LOWER(?) WHERE id = ?")
        .bind(name)
        .bind(name)
        .bind(id.get())
        .execute(&mut *transaction)
        .await
        .unwrap();
    sqlx::query("INSERT INTO product_changes (product_id, at) VALUES (?, UTC_TIMESTAMP(6))")
        .bind(id.get())
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction
}
