//! The operator: one `FarmLokal` object in, a served, seeded, tuned catalogue out.

pub mod admin;
pub mod cli;
pub mod commands;
pub mod controller;
pub mod crd;
pub mod lease;
pub mod metrics;
pub mod telemetry;
pub mod trace;
pub mod tune;
