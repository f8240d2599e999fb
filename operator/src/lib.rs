//! The operator: one `FarmLokal` object in, a served, seeded, tuned catalogue out.

pub mod tune;
