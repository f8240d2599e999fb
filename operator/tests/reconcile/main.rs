//! Rounds of the operator against an API server in memory: what is made, what is repaired, what is told, and what
//! happens when the server does not do as it is asked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

mod api;
mod faults;
mod leadership;
mod permissions;
mod played;
mod quiet;
#[path = "../rounds/mod.rs"]
mod rounds;
mod tuning;
mod watching;

/// An empty namespace; nothing is left of it when it is dropped.
async fn fresh() -> (rounds::bench::Bench, std::future::Ready<()>) {
    (played::bench().0, std::future::ready(()))
}
