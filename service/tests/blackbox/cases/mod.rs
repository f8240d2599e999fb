//! The cases, by topic.

pub mod conditions;
pub mod cursors;
pub mod framework;
pub mod hostile;
mod limits;
pub mod listing;
pub mod original;
pub mod search;
mod security;
pub mod writes;
