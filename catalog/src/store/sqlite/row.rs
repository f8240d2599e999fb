//! From a row to a product.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::store::StoreError;
use crate::{NewProduct, Price, Product, ProductId, Timestamp, Version};

/// The columns that [`product`] reads, in its order.
pub(super) const COLUMNS: &str = "p.id, p.name, p.description, p.category, p.price, p.currency, p.unit, p.producer, \
                                  p.stock, p.created_at, p.updated_at, p.version";

/// The product in `row`; every value is checked again, since others may write to the file.
pub(super) fn product(row: &SqliteRow) -> Result<Product, StoreError> {
    let id: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id, field };
    // SQLite checks no text for being UTF-8, not even in a STRICT table.
    let text = |column: usize, field| row.try_get::<&str, _>(column).map_err(|_| corrupt(field));
    let number = |column: usize| row.try_get::<i64, _>(column);
    Ok(Product {
        id: ProductId::new(id).map_err(|_| corrupt("id"))?,
        details: NewProduct {
            name: text(1, "name")?.parse().map_err(|_| corrupt("name"))?,
            description: text(2, "description")?.parse().map_err(|_| corrupt("description"))?,
            category: text(3, "category")?.parse().map_err(|_| corrupt("category"))?,
            price: Price::from_minor(number(4)?).ok_or_else(|| corrupt("price"))?,
            currency: text(5, "currency")?.parse().map_err(|_| corrupt("currency"))?,
            unit: text(6, "unit")?.parse().map_err(|_| corrupt("unit"))?,
            producer: text(7, "producer")?.parse().map_err(|_| corrupt("producer"))?,
            stock: u32::try_from(number(8)?).map_err(|_| corrupt("stock"))?,
        },
        created_at: Timestamp::from_micros(number(9)?).ok_or_else(|| corrupt("created_at"))?,
        updated_at: Timestamp::from_micros(number(10)?).ok_or_else(|| corrupt("updated_at"))?,
        version: Version::new(number(11)?).ok_or_else(|| corrupt("version"))?,
    })
}

/// The products in `rows`, in their order.
pub(super) fn products(rows: &[SqliteRow]) -> Result<Vec<Product>, StoreError> {
    rows.iter().map(product).collect()
}
