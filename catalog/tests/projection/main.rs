//! The search index as a projection of the table: through crashes, damage, gaps and concurrent writers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests, whose helpers clippy does not know as such"
)]

mod agreement;
mod bench;
mod healing;
mod order;
mod seeding;
