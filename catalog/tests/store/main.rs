//! What a store promises, asked of each engine alike, and what each engine promises beside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

mod cases;
mod engine;
mod model;
mod sample;
mod walk;
