//! From an object to what it asks for, one step a module:
//!
//! ```text
//! validate -> dereference -> gates -> build -> apply -> status
//! ```
//!
//! `validate`, `gates`, `build` and `status` are pure: what they say follows from what they are given. `dereference`
//! gathers all that they need, `apply` writes, and [`reconcile()`] is the one place that knows the order.

pub mod apply;
pub mod backoff;
pub mod build;
pub mod cache;
pub mod dereference;
pub mod error;
pub mod events;
pub mod gates;
mod growth;
pub mod kind;
pub mod live;
pub mod names;
pub mod observe;
pub mod publisher;
pub mod reconcile;
pub mod report;
#[cfg(test)]
mod sample;
pub mod secrets;
pub mod status;
pub mod tuner;
pub mod validate;
pub mod watch;

pub use error::ReconcileError;
pub use reconcile::{Context, reconcile};
