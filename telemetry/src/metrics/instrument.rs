//! Instruments: a metric of the table, ready to record.

use opentelemetry::metrics::{self, AsyncInstrument, BoundHistogram};

use super::Metric;

/// Counts events.
#[derive(Debug, Clone)]
pub struct Counter {
    pub(super) metric: &'static Metric,
    pub(super) inner: metrics::Counter<u64>,
}

impl Counter {
    /// Adds `n`; `labels` are the values of the metric's labels, in their order.
    pub fn add(&self, n: u64, labels: &[&str]) {
        self.inner.add(n, &self.metric.attributes(labels));
    }
}

/// Holds a value.
#[derive(Debug, Clone)]
pub struct Gauge {
    pub(super) metric: &'static Metric,
    pub(super) inner: metrics::Gauge<f64>,
}

impl Gauge {
    /// From now on it is `value`; `labels` are the values of the metric's labels, in their order.
    pub fn set(&self, value: f64, labels: &[&str]) {
        self.inner.record(value, &self.metric.attributes(labels));
    }
}

/// Records how values are spread.
#[derive(Debug, Clone)]
pub struct Histogram {
    pub(super) metric: &'static Metric,
    pub(super) inner: metrics::Histogram<f64>,
}

impl Histogram {
    /// Records `value`; `labels` are the values of the metric's labels, in their order. For what happens often
    /// there is [`bind`](Self::bind) and [`Series`](super::Series).
    pub fn record(&self, value: f64, labels: &[&str]) {
        self.inner.record(value, &self.metric.attributes(labels));
    }

    /// The one series of `labels`: recording there looks nothing up.
    pub fn bind(&self, labels: &[&str]) -> BoundHistogram<f64> {
        self.inner.bind(&self.metric.attributes(labels))
    }
}

/// Takes what is read at a collection.
pub struct Readings<'a> {
    pub(super) metric: &'static Metric,
    pub(super) taker: &'a dyn AsyncInstrument<f64>,
}

impl Readings<'_> {
    /// The series of `labels`, the values of the metric's labels in their order, is at `value`.
    pub fn put(&self, value: f64, labels: &[&str]) {
        self.taker.observe(value, &self.metric.attributes(labels));
    }
}
