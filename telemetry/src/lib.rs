//! Traces, metrics and logs, set up once for the service, the seeder and the operator; and what the service
//! and the operator agree on: the tuning file and the names of the metrics.
//!
//! What a request, an event or a delivery makes this process do is one [`Root`]. If it is sampled, it is a span, and
//! whatever `tracing` span of ours is made below becomes its child; if not, those spans are not made at all.

mod delivery;
mod environment;
mod events;
mod ids;
pub mod log;
pub mod metrics;
mod otlp;
pub mod pool;
pub mod propagation;
mod recent;
mod recorded;
pub mod resource;
mod root;
mod sampling;
mod setup;
pub mod tuning;

pub use recent::{RecentTraces, RecordedSpan, RecordedTrace, recent_traces};
pub use root::{Kind, RequestId, Root, carry, note};
pub use setup::{Settings, StartError, Telemetry, start, start_with};
