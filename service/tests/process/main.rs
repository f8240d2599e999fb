//! The real binary from outside: its commands, its start and its end, and the limits of its server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, whose helpers clippy does not know as such"
)]

mod certificates;
mod child;
mod collector_tls;
mod commands;
mod connections;
mod metrics;
mod oauth;
mod redis_tls;
mod shutdown;
mod startup;
mod subscriptions;
mod traces;
mod traces_page;
mod tuning;
mod upgrade;
mod webhooks;
