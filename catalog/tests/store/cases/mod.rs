//! The promises, one kind a file.

mod abandoned;
mod backlog;
mod broken;
mod busy;
mod conflicts;
mod counters;
mod idempotency;
mod inbox;
mod listeners;
mod listing;
mod migrations;
mod oauth;
mod pool;
mod replica;
mod spans;
mod subscriptions;
mod syncs;
mod texts;
mod time_limit;
mod totals;
mod urls;
mod versions;
mod walking;
mod writes;
