//! The products that a source or a supplier knows by ids of its own.

use super::engine::{Connection, RESERVE_EXTERNAL_ID, inserted, on_conflict};
use super::read;
use crate::inbox::{ProductRef, SourceName};
use crate::store::StoreError;
use crate::{ExternalId, Product, ProductId};

/// The product that `source` means, locked against other writers, also while there is none. [`point`] says at the end
/// of the transaction which one there is then.
pub(super) async fn locate(
    db: &mut Connection,
    source: &SourceName,
    product: &ProductRef,
) -> Result<Option<Product>, StoreError> {
    let id = match product {
        ProductRef::Id(id) => Some(*id),
        ProductRef::External(external) => reserve(db, source, external).await?,
    };
    let Some(id) = id else { return Ok(None) };
    match read::get_locked(db, id).await {
        Ok(product) => Ok(Some(product)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn reserve(
    db: &mut Connection,
    source: &SourceName,
    external: &ExternalId,
) -> Result<Option<ProductId>, StoreError> {
    if let Some(reserve) = RESERVE_EXTERNAL_ID {
        sqlx::query(reserve).bind(source).bind(external).execute(&mut *db).await?;
    }
    let select = "SELECT product_id FROM external_products WHERE source = ? AND external_id = ?";
    let id: Option<Option<ProductId>> =
        sqlx::query_scalar(select).bind(source).bind(external).fetch_optional(db).await?;
    Ok(id.flatten())
}

/// Makes `source` mean `product` by `external`, or nothing.
pub(super) async fn point(
    db: &mut Connection,
    source: &SourceName,
    external: &ExternalId,
    product: Option<ProductId>,
) -> Result<(), StoreError> {
    let query = match product {
        Some(_) => concat!(
            "INSERT INTO external_products (source, external_id, product_id) VALUES (?, ?, ?)",
            on_conflict!("source, external_id"),
            "product_id = ",
            inserted!("product_id")
        ),
        None => "DELETE FROM external_products WHERE source = ? AND external_id = ?",
    };
    let query = sqlx::query(query).bind(source).bind(external);
    match product {
        Some(product) => query.bind(product),
        None => query,
    }
    .execute(db)
    .await?;
    Ok(())
}
