//! What became of many requests.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies, and answers that were not right.
pub(super) struct Outcome {
    microseconds: Histogram<u32>,
    /// How many answers were wrong.
    pub(super) wrong: u64,
    /// What was wrong with one of them.
    pub(super) example: Option<String>,
}

impl Outcome {
    /// Nothing yet.
    pub(super) fn new() -> Result<Self, String> {
        // Up to a minute, with three digits.
        let microseconds = Histogram::new_with_bounds(1, 60_000_000, 3);
        Ok(Self { microseconds: microseconds.map_err(|error| format!("histogram: {error}"))?, wrong: 0, example: None })
    }

    /// Adds an answer.
    pub(super) fn note(&mut self, took: Duration, checked: Result<(), String>) {
        self.microseconds.saturating_record(took.as_micros() as u64);
        if let Err(why) = checked {
            self.wrong += 1;
            self.example.get_or_insert(why);
        }
    }

    /// Adds what another thread counted.
    pub(super) fn add(&mut self, other: Self) -> Result<(), String> {
        self.wrong += other.wrong;
        self.example = self.example.take().or(other.example);
        let added = self.microseconds.add(other.microseconds);
        added.map_err(|error| format!("histogram: {error}"))
    }

    /// What is to be said of `name` if answers were wrong.
    pub(super) fn complaint(&self, name: &str) -> Option<String> {
        let example = self.example.as_ref()?;
        Some(format!("{name}: {} of {} answers, such as {example}", self.wrong, self.count()))
    }

    /// How many answers there were.
    pub(super) fn count(&self) -> u64 {
        self.microseconds.len()
    }

    /// What `share` of the answers did not take longer than, in milliseconds: 0.5 for the median.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        self.microseconds.value_at_quantile(share) as f64 / 1_000.0
    }

    /// The average in milliseconds.
    pub(super) fn mean(&self) -> f64 {
        self.microseconds.mean() / 1_000.0
    }

    /// The longest in milliseconds.
    pub(super) fn max(&self) -> f64 {
        self.microseconds.max() as f64 / 1_000.0
    }
}
