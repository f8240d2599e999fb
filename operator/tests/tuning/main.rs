//! The tuning law and the grants, from outside: what they promise whatever happens, and what they are good for.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

mod comparison;
mod grants;
mod law;
mod promises;

#[path = "../../examples/simulate/database.rs"]
mod database;
#[path = "../../examples/simulate/laws.rs"]
mod laws;
#[path = "../../examples/simulate/scenario.rs"]
mod scenario;

#[path = "../../examples/simulate/world.rs"]
mod world;
