//! The product, and what is needed to make and to change one.

use std::fmt;

use crate::{Category, Currency, Description, Invalid, Price, Producer, ProductName, Timestamp, Unit};

/// A product's number: from 1 up, given by the database, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(i64);

impl ProductId {
    /// The id `id`; refused below 1.
    pub fn new(id: i64) -> Result<Self, Invalid> {
        if id >= 1 { Ok(Self(id)) } else { Err(Invalid::new("id", "must be a whole number from 1 up")) }
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often a product was written: 1 when made, one more with every change. With the id it names
/// one state of a product for ever, which is what an entity tag needs (RFC 9110, 8.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(i64);

impl Version {
    /// The version of a product just made.
    pub const FIRST: Self = Self(1);

    /// The version `version`; `None` below 1.
    pub fn new(version: i64) -> Option<Self> {
        (version >= 1).then_some(Self(version))
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// A product as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its number.
    pub id: ProductId,
    /// What its maker and seller say about it.
    pub details: NewProduct,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed; equals `created_at` for version 1.
    pub updated_at: Timestamp,
    /// How often it was written.
    pub version: Version,
}

impl Product {
    /// The product after `patch` at `now`, one version on; `None` when the patch changes nothing.
    pub fn changed(&self, patch: ProductPatch, now: Timestamp) -> Option<Self> {
        let details = patch.apply(self.details.clone());
        (details != self.details).then(|| Self {
            id: self.id,
            details,
            created_at: self.created_at,
            // A clock set back must not make a change look older than the product.
            updated_at: now.max(self.updated_at),
            version: Version(self.version.0 + 1),
        })
    }
}

/// Everything about a product that a person decides; the rest is the database's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// What it is called.
    pub name: ProductName,
    /// What is to be said about it.
    pub description: Description,
    /// The shelf it stands on.
    pub category: Category,
    /// What one `unit` costs.
    pub price: Price,
    /// The currency of `price`.
    pub currency: Currency,
    /// What one piece is.
    pub unit: Unit,
    /// Who makes it.
    pub producer: Producer,
    /// How many units are there to be sold.
    pub stock: u32,
}

/// A change to some fields of a product; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductPatch {
    /// The new name.
    pub name: Option<ProductName>,
    /// The new description.
    pub description: Option<Description>,
    /// The new category.
    pub category: Option<Category>,
    /// The new price.
    pub price: Option<Price>,
    /// The new currency.
    pub currency: Option<Currency>,
    /// The new unit.
    pub unit: Option<Unit>,
    /// The new producer.
    pub producer: Option<Producer>,
    /// The new stock.
    pub stock: Option<u32>,
}

impl From<NewProduct> for ProductPatch {
    /// The patch that makes any product one of these details.
    fn from(details: NewProduct) -> Self {
        Self {
            name: Some(details.name),
            description: Some(details.description),
            category: Some(details.category),
            price: Some(details.price),
            currency: Some(details.currency),
            unit: Some(details.unit),
            producer: Some(details.producer),
            stock: Some(details.stock),
        }
    }
}

impl ProductPatch {
    /// `details` with the fields that are present replaced.
    pub fn apply(self, details: NewProduct) -> NewProduct {
        NewProduct {
            name: self.name.unwrap_or(details.name),
            description: self.description.unwrap_or(details.description),
            category: self.category.unwrap_or(details.category),
            price: self.price.unwrap_or(details.price),
            currency: self.currency.unwrap_or(details.currency),
            unit: self.unit.unwrap_or(details.unit),
            producer: self.producer.unwrap_or(details.producer),
            stock: self.stock.unwrap_or(details.stock),
        }
    }
}
