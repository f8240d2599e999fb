//! How far a seeding has come, in metrics.

use farmlokal_telemetry::metrics::table::seed::{DONE, WANTED};
use farmlokal_telemetry::metrics::{Gauge, Metrics};

use crate::progress::Progress;

/// Tells `shown` and the metrics alike.
pub struct Measured {
    shown: Box<dyn Progress>,
    done: Gauge,
    wanted: Gauge,
}

impl Measured {
    /// Tells `shown`, and `metrics`.
    #[must_use]
    pub fn new(shown: Box<dyn Progress>, metrics: &Metrics) -> Self {
        Self { shown, done: metrics.gauge(&DONE), wanted: metrics.gauge(&WANTED) }
    }
}

impl Progress for Measured {
    fn waiting(&self) {
        self.shown.waiting();
    }

    fn begin(&self, found: u64, wanted: u64) {
        self.done.set(found as f64, &[]);
        self.wanted.set(wanted as f64, &[]);
        self.shown.begin(found, wanted);
    }

    fn loaded(&self, rows: u64) {
        self.done.set(rows as f64, &[]);
        self.shown.loaded(rows);
    }

    fn step(&self, name: &str, number: usize, of: usize) {
        self.shown.step(name, number, of);
    }

    fn end(&self) {
        self.shown.end();
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_telemetry::resource::resource;

    use super::*;
    use crate::progress::Lines;

    #[test]
    fn rows_are_told_as_they_come() {
        let metrics = Metrics::new(resource("test", "1"), None).unwrap();
        let progress = Measured::new(Box::new(Lines::default()), &metrics);
        let told = |done: u64, wanted: u64| {
            let text = metrics.text().unwrap();
            text.contains(&format!("farmlokal_seed_rows_done {done}\n"))
                && text.contains(&format!("farmlokal_seed_rows_wanted {wanted}\n"))
        };
        progress.begin(200, 1_000);
        assert!(told(200, 1_000));
        progress.loaded(700);
        assert!(told(700, 1_000));
    }
}
