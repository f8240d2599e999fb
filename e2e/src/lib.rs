//! The whole system from outside: real servers, real processes, and what they do together.

pub mod closed_loop;
pub mod cluster;
