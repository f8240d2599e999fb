//! Events that others send: who may, how they are taken in, and the worker that applies them.

mod arrivals;
mod backoff;
mod intake;
mod seen;
mod signature;
mod source;
mod worker;

pub use arrivals::{Arrival, Arrivals};
pub use backoff::Backoff;
pub(crate) use backoff::mix;
pub use intake::{Intake, Refusal, Sent};
pub use seen::Seen;
pub use signature::{Signature, SignatureError};
pub use source::{SigningSecret, SourceError, Sources};
pub use worker::{Applied, Worker, WorkerOptions};
