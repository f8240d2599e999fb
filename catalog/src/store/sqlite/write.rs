//! Writing: each call is one transaction, the category's count and the log of changes included.

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::{changes, idempotency, read};
use crate::once::{Claim, KeptAnswer, Render};
use crate::store::changes::{Change, Written};
use crate::store::{StoreError, precondition};
use crate::{Category, NameKey, NewProduct, Product, ProductId, ProductPatch, Timestamp, Version};

/// Takes the write lock at once: a transaction that reads first and writes later may find the file
/// changed in between.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

pub(super) async fn create(
    connection: &mut SqliteConnection,
    details: NewProduct,
    now: Timestamp,
) -> Result<Written<Product>, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let (product, change) = create_in(&mut transaction, details, now).await?;
    transaction.commit().await?;
    Ok((product, Some(change)))
}

/// Keeps a new product and the answer to the request for it.
pub(super) async fn create_once(
    connection: &mut SqliteConnection,
    claim: &Claim,
    details: NewProduct,
    now: Timestamp,
    render: &Render,
) -> Result<Written<KeptAnswer>, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let (product, change) = create_in(&mut transaction, details, now).await?;
    let answer = render(&product);
    idempotency::complete(&mut transaction, claim, &answer).await?;
    transaction.commit().await?;
    Ok((answer, Some(change)))
}

/// Keeps a new product in the caller's transaction.
pub(super) async fn create_in(
    connection: &mut SqliteConnection,
    details: NewProduct,
    now: Timestamp,
) -> Result<(Product, Change), StoreError> {
    let id = sqlx::query(
        "INSERT INTO products (name, name_key, description, category, price, currency, unit, producer, stock, \
         created_at, updated_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
    )
    .bind(details.name.as_str())
    .bind(NameKey::from(&details.name).as_str())
    .bind(details.description.as_str())
    .bind(details.category.as_str())
    .bind(details.price.minor())
    .bind(details.currency.as_str())
    .bind(details.unit.as_str())
    .bind(details.producer.as_str())
    .bind(i64::from(details.stock))
    .bind(now.micros())
    .bind(now.micros())
    .execute(&mut *connection)
    .await?
    .last_insert_rowid();
    let id = ProductId::new(id).map_err(|_| StoreError::Corrupt { id, field: "id" })?;
    add_to_category(connection, &details.category, 1).await?;
    let change = changes::note(connection, id, None, Some(&details.category)).await?;
    Ok((Product { id, details, created_at: now, updated_at: now, version: Version::FIRST }, change))
}

pub(super) async fn update(
    connection: &mut SqliteConnection,
    id: ProductId,
    patch: ProductPatch,
    expected: Option<&[Version]>,
    now: Timestamp,
) -> Result<Written<Product>, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let before = read::get(&mut transaction, id).await?;
    precondition(&before, expected)?;
    let written = update_in(&mut transaction, before, patch, now).await?;
    transaction.commit().await?;
    Ok(written)
}

/// Changes the product, which is `before` and locked, in the caller's transaction.
pub(super) async fn update_in(
    connection: &mut SqliteConnection,
    before: Product,
    patch: ProductPatch,
    now: Timestamp,
) -> Result<Written<Product>, StoreError> {
    let Some(after) = before.changed(patch, now) else { return Ok((before, None)) };
    let details = &after.details;
    sqlx::query(
        "UPDATE products SET name = ?, name_key = ?, description = ?, category = ?, price = ?, currency = ?, unit = ?, \
         producer = ?, stock = ?, updated_at = ?, version = ? WHERE id = ?",
    )
    .bind(details.name.as_str())
    .bind(NameKey::from(&details.name).as_str())
    .bind(details.description.as_str())
    .bind(details.category.as_str())
    .bind(details.price.minor())
    .bind(details.currency.as_str())
    .bind(details.unit.as_str())
    .bind(details.producer.as_str())
    .bind(i64::from(details.stock))
    .bind(after.updated_at.micros())
    .bind(after.version.get())
    .bind(after.id.get())
    .execute(&mut *connection)
    .await?;
    if before.details.category != details.category {
        add_to_category(connection, &before.details.category, -1).await?;
        add_to_category(connection, &details.category, 1).await?;
    }
    let change = changes::note(connection, after.id, Some(&before.details.category), Some(&details.category)).await?;
    Ok((after, Some(change)))
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: ProductId,
    expected: Option<&[Version]>,
) -> Result<Written<()>, StoreError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let before = read::get(&mut transaction, id).await?;
    precondition(&before, expected)?;
    let change = delete_in(&mut transaction, &before).await?;
    transaction.commit().await?;
    Ok(((), Some(change)))
}

/// Removes the product, which is `before` and locked, in the caller's transaction.
pub(super) async fn delete_in(connection: &mut SqliteConnection, before: &Product) -> Result<Change, StoreError> {
    sqlx::query("DELETE FROM products WHERE id = ?").bind(before.id.get()).execute(&mut *connection).await?;
    add_to_category(connection, &before.details.category, -1).await?;
    changes::note(connection, before.id, Some(&before.details.category), None).await
}

async fn add_to_category(connection: &mut SqliteConnection, category: &Category, more: i64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO categories (name, products) VALUES (?, ?) \
         ON CONFLICT (name) DO UPDATE SET products = products + excluded.products",
    )
    .bind(category.as_str())
    .bind(more)
    .execute(connection)
    .await?;
    Ok(())
}
