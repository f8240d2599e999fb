//! What the service measures. Durations are recorded as they happen; numbers that the parts keep anyway are read when
//! metrics are collected.

mod backlog;
mod requests;
mod store;
mod watch;

pub use backlog::Sampler;
pub use requests::{Active, Requests};
pub use store::StoreObserver;
pub use watch::{Background, watch};
