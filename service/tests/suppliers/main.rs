//! Suppliers, seen from both sides: real services here, and there a farm that does all that farms do wrong.

#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, whose helpers clippy does not know as such"
)]

mod crashes;
mod degraded;
mod farm;
mod service;
mod syncs;
mod tokens;
