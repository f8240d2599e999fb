//! Writing products: each change counts its category and is in the log of changes, in one transaction.

use super::engine::{Db, inserted_id};
use super::transaction::Transaction;
use super::{changes, idempotency, read};
use crate::idempotency::{Claim, KeptAnswer, Render};
use crate::store::{StoreError, precondition};
use crate::{NameKey, NewProduct, Product, ProductId, ProductPatch, Timestamp, Version};

type Statement<'q> = sqlx::query::Query<'q, Db, <Db as sqlx::Database>::Arguments>;

/// Binds name, name_key, description, category, price, currency, unit, producer and stock, in this order.
pub(super) fn bind_details<'q>(statement: Statement<'q>, details: &NewProduct) -> Statement<'q> {
    statement
        .bind(&details.name)
        .bind(NameKey::from(&details.name))
        .bind(&details.description)
        .bind(&details.category)
        .bind(details.price)
        .bind(details.currency)
        .bind(&details.unit)
        .bind(&details.producer)
        .bind(details.stock)
}

/// Creates a product.
pub(super) async fn create(
    to: &mut Transaction<'_>,
    details: &NewProduct,
    now: Timestamp,
) -> Result<Product, StoreError> {
    let insert = sqlx::query(
        "INSERT INTO products (name, name_key, description, category, price, currency, unit, producer, stock, \
         created_at, updated_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let done = bind_details(insert, details).bind(now).bind(now).bind(Version::FIRST).execute(&mut *to.db).await?;
    let id = inserted_id(&done);
    let id = ProductId::new(id).map_err(|_| StoreError::corrupt(id, "id"))?;
    to.count(&details.category, 1);
    let change = changes::note(to.db, id, None, Some(&details.category)).await?;
    to.changed(change);
    Ok(Product { id, details: details.clone(), created_at: now, updated_at: now, version: Version::FIRST })
}

/// Creates a product and stores the response to the request for it.
pub(super) async fn create_once(
    to: &mut Transaction<'_>,
    claim: &Claim,
    details: &NewProduct,
    now: Timestamp,
    render: &Render,
) -> Result<KeptAnswer, StoreError> {
    let answer = render(&create(to, details, now).await?);
    idempotency::complete(to.db, claim, &answer).await?;
    Ok(answer)
}

/// Changes the product `id`, if one of `expected` is its version.
pub(super) async fn update(
    to: &mut Transaction<'_>,
    id: ProductId,
    patch: &ProductPatch,
    expected: Option<&[Version]>,
    now: Timestamp,
) -> Result<Product, StoreError> {
    let before = read::get_locked(to.db, id).await?;
    precondition(&before, expected)?;
    Ok(replace(to, before, patch.clone(), now).await?.0)
}

/// Changes the product, which is `before` and locked. Returns it as it is then, and whether that is a change.
pub(super) async fn replace(
    to: &mut Transaction<'_>,
    before: Product,
    patch: ProductPatch,
    now: Timestamp,
) -> Result<(Product, bool), StoreError> {
    let Some(after) = before.changed(patch, now) else { return Ok((before, false)) };
    let details = &after.details;
    let update = sqlx::query(
        "UPDATE products SET name = ?, name_key = ?, description = ?, category = ?, price = ?, currency = ?, unit = ?, \
         producer = ?, stock = ?, updated_at = ?, version = ? WHERE id = ?",
    );
    bind_details(update, details)
        .bind(after.updated_at)
        .bind(after.version)
        .bind(after.id)
        .execute(&mut *to.db)
        .await?;
    to.count(&before.details.category, -1);
    to.count(&details.category, 1);
    let change = changes::note(to.db, after.id, Some(&before.details.category), Some(&details.category)).await?;
    to.changed(change);
    Ok((after, true))
}

/// Deletes the product `id`, if one of `expected` is its version.
pub(super) async fn delete(
    to: &mut Transaction<'_>,
    id: ProductId,
    expected: Option<&[Version]>,
) -> Result<(), StoreError> {
    let before = read::get_locked(to.db, id).await?;
    precondition(&before, expected)?;
    remove(to, &before).await
}

/// Deletes the product, which is `before` and locked.
pub(super) async fn remove(to: &mut Transaction<'_>, before: &Product) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM products WHERE id = ?").bind(before.id).execute(&mut *to.db).await?;
    to.count(&before.details.category, -1);
    let change = changes::note(to.db, before.id, Some(&before.details.category), None).await?;
    to.changed(change);
    Ok(())
}
