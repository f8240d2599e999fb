//! The promises, one kind a file.

mod abandoned;
mod counters;
mod scratch;
