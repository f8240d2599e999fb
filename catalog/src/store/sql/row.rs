//! From rows to values.

use sqlx::{Column as _, Decode, Row as _, Type};

use super::engine::{Db, Row};
use crate::store::StoreError;
use crate::{NewProduct, Product};

/// The columns of a row. Every value is checked again, since others may write to the tables.
pub(super) struct Columns<'r> {
    row: &'r Row,
    /// What errors name the row by: its first column where that is a number.
    id: i64,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row, id: row.try_get(0).unwrap_or_default() }
    }

    /// The value of the column at `place`, from 0.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the column holds what `T` cannot.
    pub(super) fn get<T: Decode<'r, Db> + Type<Db>>(&self, place: usize) -> Result<T, StoreError> {
        self.row.try_get(place).map_err(|error| match error {
            sqlx::Error::ColumnDecode { .. } => self.corrupt(self.row.column(place).name()),
            error => error.into(),
        })
    }

    /// The error of a row whose `field` holds what it cannot.
    pub(super) fn corrupt(&self, field: &str) -> StoreError {
        StoreError::corrupt(self.id, field)
    }

    /// The number at `place`, which is never negative.
    pub(super) fn number(&self, place: usize) -> Result<u64, StoreError> {
        self.get(place).map(i64::cast_unsigned)
    }
}

/// The columns that [`product`] reads, in its order.
macro_rules! product_columns {
    () => {
        "p.id, p.name, p.description, p.category, p.price, p.currency, p.unit, p.producer, p.stock, p.created_at, \
         p.updated_at, p.version"
    };
}

pub(super) use product_columns;

/// The product in `row`.
pub(super) fn product(row: &Row) -> Result<Product, StoreError> {
    let row = Columns::of(row);
    Ok(Product {
        id: row.get(0)?,
        details: NewProduct {
            name: row.get(1)?,
            description: row.get(2)?,
            category: row.get(3)?,
            price: row.get(4)?,
            currency: row.get(5)?,
            unit: row.get(6)?,
            producer: row.get(7)?,
            stock: row.get(8)?,
        },
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        version: row.get(11)?,
    })
}

/// The products in `rows`, in their order.
pub(super) fn products(rows: &[Row]) -> Result<Vec<Product>, StoreError> {
    rows.iter().map(product).collect()
}
