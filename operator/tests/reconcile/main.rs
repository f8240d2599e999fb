//! Rounds of the operator against an API server in memory: what is made, what is repaired, what is told, and what
//! happens when the server does not do as it is asked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

mod api;
mod bench;
mod cases;
mod faults;
mod leadership;
mod permissions;
mod played;
mod watching;
