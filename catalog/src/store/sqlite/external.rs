//! Which product a source or supplier means by an id of its own.

use sqlx::sqlite::SqliteConnection;

use crate::inbox::SourceName;
use crate::store::StoreError;
use crate::{ExternalId, ProductId};

/// The product that `source` means by `external`; the transaction is the only one that writes.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    source: &SourceName,
    external: &ExternalId,
) -> Result<Option<ProductId>, StoreError> {
    let id: Option<i64> =
        sqlx::query_scalar("SELECT product_id FROM external_products WHERE source = ? AND external_id = ?")
            .bind(source.as_str())
            .bind(external.as_str())
            .fetch_optional(connection)
            .await?;
    let corrupt = |_| StoreError::Corrupt { id: id.unwrap_or(0), field: "product_id" };
    id.map(ProductId::new).transpose().map_err(corrupt)
}

/// Has `source` mean `product` by `external`, or nothing.
pub(super) async fn point(
    connection: &mut SqliteConnection,
    source: &SourceName,
    external: &ExternalId,
    product: Option<ProductId>,
) -> Result<(), StoreError> {
    let query = match product {
        Some(_) => {
            "INSERT INTO external_products (source, external_id, product_id) VALUES (?, ?, ?) \
             ON CONFLICT (source, external_id) DO UPDATE SET product_id = excluded.product_id"
        }
        None => "DELETE FROM external_products WHERE source = ? AND external_id = ?",
    };
    let query = sqlx::query(query).bind(source.as_str()).bind(external.as_str());
    match product {
        Some(product) => query.bind(product.get()),
        None => query,
    }
    .execute(connection)
    .await?;
    Ok(())
}
