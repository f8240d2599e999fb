//! What a product is, how it is stored and how it is found.
//!
//! This crate knows no HTTP and no Kubernetes. Values are types that cannot hold a wrong value
//! ([`Price`], [`ProductName`], …); the [`store::Store`] trait keeps them in SQLite or MySQL/MariaDB.

pub mod catalogue;
pub mod cursor;
pub mod inbox;
pub mod invalid;
pub mod once;
pub mod price;
pub mod product;
pub mod projection;
pub mod query;
pub mod search;
pub mod shape;
pub mod store;
pub mod subscription;
pub mod supply;
pub mod text;
pub mod timestamp;
mod writing;

pub use catalogue::Catalogue;
pub use cursor::{CursorError, CursorKey};
pub use invalid::Invalid;
pub use price::{Currency, Price, PriceRange};
pub use product::{NewProduct, Product, ProductId, ProductPatch, Version};
pub use query::{Direction, Filter, Limit, Order, Page, Position, Query, SearchText, SortKey, Total};
pub use text::{Category, Description, EventId, EventType, ExternalId, NameKey, Producer, ProductName, Unit};
pub use timestamp::Timestamp;
