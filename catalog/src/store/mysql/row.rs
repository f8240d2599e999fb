//! From a row to a product.

use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::store::StoreError;
use crate::{NewProduct, Price, Product, ProductId, Timestamp, Version};

/// The columns that [`product`] reads, in its order.
pub(super) const COLUMNS: &str = "p.id, p.name, p.description, p.category, p.price, p.currency, p.unit, p.producer, \
                                  p.stock, p.created_at, p.updated_at, p.version";

/// `at` as it is bound. A `DateTime` would go as a TIMESTAMP, which in MariaDB ends in 2038.
pub(super) fn datetime(at: Timestamp) -> NaiveDateTime {
    at.to_utc().naive_utc()
}

/// The product in `row`; every value is checked again, since others may write to the table.
pub(super) fn product(row: &MySqlRow) -> Result<Product, StoreError> {
    let id: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id, field };
    // What the driver cannot read, such as MySQL's date of the year 0, no product can have either.
    let text = |column: usize, field| row.try_get::<&str, _>(column).map_err(|_| corrupt(field));
    let moment = |column: usize, field| match row.try_get::<DateTime<Utc>, _>(column) {
        Ok(at) => Ok(Timestamp::from(at)),
        Err(_) => Err(corrupt(field)),
    };
    Ok(Product {
        id: ProductId::new(id).map_err(|_| corrupt("id"))?,
        details: NewProduct {
            name: text(1, "name")?.parse().map_err(|_| corrupt("name"))?,
            description: text(2, "description")?.parse().map_err(|_| corrupt("description"))?,
            category: text(3, "category")?.parse().map_err(|_| corrupt("category"))?,
            price: Price::from_decimal(row.try_get(4)?).ok_or_else(|| corrupt("price"))?,
            currency: text(5, "currency")?.parse().map_err(|_| corrupt("currency"))?,
            unit: text(6, "unit")?.parse().map_err(|_| corrupt("unit"))?,
            producer: text(7, "producer")?.parse().map_err(|_| corrupt("producer"))?,
            stock: row.try_get(8)?,
        },
        created_at: moment(9, "created_at")?,
        updated_at: moment(10, "updated_at")?,
        version: Version::new(row.try_get(11)?).ok_or_else(|| corrupt("version"))?,
    })
}

/// The products in `rows`, in their order.
pub(super) fn products(rows: &[MySqlRow]) -> Result<Vec<Product>, StoreError> {
    rows.iter().map(product).collect()
}
