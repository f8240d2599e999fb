//! Traces, metrics and logs, set up once for the service, the seeder and the operator; and what the service
//! and the operator agree on: the tuning file and the names of the metrics.

pub mod metrics;
pub mod pool;
pub mod tuning;
