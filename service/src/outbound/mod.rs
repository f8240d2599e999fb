//! Calling others: one HTTP client, and what keeps a call bounded when they are slow, wrong or away.

mod backoff;
mod budget;
mod call;
mod client;
mod failure;
pub(crate) mod tls;
pub(crate) mod trace;

pub use backoff::Backoff;
pub use budget::Budget;
pub use call::{Caller, Patience};
pub use client::{Answer, HttpClient};
pub use failure::Failure;
