//! How products are stored, searched and found.
//!
//! This crate knows no HTTP and no Kubernetes. Its values are those of `farmlokal-domain`; the [`store::Store`] trait
//! keeps them in SQLite or MySQL/MariaDB.

pub mod catalogue;
pub mod projection;
pub mod search;
pub mod shape;
pub mod store;
mod writing;

pub use catalogue::Catalogue;
pub use farmlokal_domain::*;
