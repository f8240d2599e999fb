//! FarmLokal's HTTP service: the catalogue behind a documented API.

pub mod admin;
pub mod api;
pub mod app;
pub mod breaker;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod housekeeping;
pub mod limits;
mod log_traces;
pub mod metrics;
pub mod oauth;
pub mod outbound;
pub mod redis;
pub mod server;
pub mod subscriptions;
pub mod suppliers;
pub mod tally;
pub mod tuning;
pub mod webhooks;
