//! The operator against a real API server with real controllers, on a cluster without nodes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

mod admission;
mod handover;
mod kubelet;
mod lifecycle;
mod namespace;
mod operating;
#[path = "../rounds/mod.rs"]
mod rounds;
mod rules;
mod waiting;

use operating::fresh;
