//! What is measured: one table, and the instruments, the page of the documentation and the answer to a scrape made
//! from it.
//!
//! A metric is declared once, in [`table`]. Whoever records it gives the values of its labels in the order in which
//! the table has them, so no name and no label exists beside the table. [`Metrics`] makes the instruments, answers
//! Prometheus, and pushes the same numbers by OTLP when the environment asks for it.

mod document;
mod instrument;
mod metric;
mod otlp;
mod process;
mod registry;
mod series;
pub mod table;

pub use document::page;
pub use instrument::{Counter, Gauge, Histogram, Readings};
pub use metric::{Kind, Label, Metric, OTHER, Values};
pub use otlp::{OtlpError, Push, exporter};
pub use registry::{Metrics, MetricsError};
pub use series::{Labelled, Series};
