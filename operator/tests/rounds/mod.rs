//! What an operator does, round by round: the same cases for an API server in memory and for a real one. Whoever
//! includes this has a function `fresh` that makes a [`Bench`](bench::Bench) and something to end it with.

pub(crate) mod bench;
pub(crate) mod cases;
