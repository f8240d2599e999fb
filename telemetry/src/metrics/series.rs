//! The series of a histogram that is recorded often: each is looked up by a small key and bound once.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock};

use opentelemetry::metrics::BoundHistogram;

use super::Histogram;

/// A key that knows its labels.
pub trait Labelled: Copy + Eq + Hash {
    /// The values of the metric's labels, in their order.
    fn labels(&self) -> Vec<String>;
}

/// A histogram's series by key. There must be few keys, whatever clients send: each is kept.
pub struct Series<K> {
    histogram: Histogram,
    bound: RwLock<HashMap<K, BoundHistogram<f64>>>,
}

impl<K: Labelled> Series<K> {
    /// The series of `histogram`.
    #[must_use]
    pub fn new(histogram: Histogram) -> Self {
        Self { histogram, bound: RwLock::default() }
    }

    /// Records `value` in the series of `key`.
    pub fn record(&self, key: K, value: f64) {
        if let Some(series) = self.bound.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return series.record(value);
        }
        self.bind(key).record(value);
    }

    /// Has the series of `key` be there from now on, also while nothing is recorded in it.
    pub fn open(&self, key: K) {
        let _kept = self.bind(key);
    }

    fn bind(&self, key: K) -> BoundHistogram<f64> {
        let labels = key.labels();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let mut bound = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        bound.entry(key).or_insert_with(|| self.histogram.bind(&labels)).clone()
    }
}

impl<K> fmt::Debug for Series<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "series of {:?}", self.histogram)
    }
}
