//! The cases, by topic.

pub mod caching;
pub mod conditions;
pub mod cursors;
pub mod framework;
pub mod hostile;
pub mod idempotency;
mod limits;
pub mod listing;
pub mod original;
pub mod search;
mod security;
pub mod webhooks;
pub mod writes;
