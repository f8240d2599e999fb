//! The operator: one `FarmLokal` object in, a served, seeded, tuned catalogue out.

pub mod cli;
pub mod commands;
pub mod controller;
pub mod crd;
