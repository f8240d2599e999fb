//! Which product a source or supplier means by an id of its own.

use sqlx::mysql::MySqlConnection;

use crate::inbox::SourceName;
use crate::store::StoreError;
use crate::{ExternalId, ProductId};

/// The product that `source` means by `external`. Takes the row for the transaction, and makes one to take if
/// there is none, so that two callers do not both make the product; [`point`] at the end says what it is.
pub(super) async fn lock(
    connection: &mut MySqlConnection,
    source: &SourceName,
    external: &ExternalId,
) -> Result<Option<ProductId>, StoreError> {
    sqlx::query(
        "INSERT INTO external_products (source, external_id) VALUES (?, ?) \
         ON DUPLICATE KEY UPDATE product_id = product_id",
    )
    .bind(source.as_str())
    .bind(external.as_str())
    .execute(&mut *connection)
    .await?;
    let id: Option<i64> =
        sqlx::query_scalar("SELECT product_id FROM external_products WHERE source = ? AND external_id = ?")
            .bind(source.as_str())
            .bind(external.as_str())
            .fetch_one(connection)
            .await?;
    let corrupt = |_| StoreError::Corrupt { id: id.unwrap_or(0), field: "product_id" };
    id.map(ProductId::new).transpose().map_err(corrupt)
}

/// Has `source` mean `product` by `external`, or nothing.
pub(super) async fn point(
    connection: &mut MySqlConnection,
    source: &SourceName,
    external: &ExternalId,
    product: Option<ProductId>,
) -> Result<(), StoreError> {
    let query = match product {
        Some(product) => {
            sqlx::query("UPDATE external_products SET product_id = ? WHERE source = ? AND external_id = ?")
                .bind(product.get())
        }
        None => sqlx::query("DELETE FROM external_products WHERE source = ? AND external_id = ?"),
    };
    query.bind(source.as_str()).bind(external.as_str()).execute(connection).await?;
    Ok(())
}
