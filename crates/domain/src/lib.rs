//! Products, queries, money, events and subscriptions as values that cannot be wrong.
//!
//! The crate is pure: it knows no SQL, no HTTP and no Kubernetes. Its optional feature `sqlx` lets columns hold the
//! values themselves.

#[cfg(feature = "sqlx")]
mod columns;
pub mod cursor;
pub mod idempotency;
pub mod inbox;
pub mod invalid;
pub mod price;
pub mod product;
pub mod query;
pub mod subscription;
pub mod supply;
pub mod text;
pub mod timestamp;

pub use cursor::{CursorError, CursorKey};
pub use invalid::Invalid;
pub use price::{Currency, Price, PriceRange};
pub use product::{NewProduct, Product, ProductId, ProductPatch, Version};
pub use query::{Direction, Filter, Limit, Order, Page, Position, Query, SearchText, SortKey, Total};
pub use text::{Category, Description, EventId, EventType, ExternalId, NameKey, Producer, ProductName, Unit};
pub use timestamp::Timestamp;
