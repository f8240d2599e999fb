//! The cases, by topic.

pub mod caching;
pub mod conditions;
pub mod cursors;
pub mod framework;
pub mod hostile;
pub mod idempotency;
mod limits;
pub mod listing;
pub mod metrics;
pub mod oauth;
pub mod original;
pub mod search;
mod security;
pub mod subscriptions;
pub mod tokens;
pub mod webhooks;
pub mod writes;
