//! How far a seeding has come, for a person at a terminal or for a log.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// Is told how far a seeding has come.
pub trait Progress: Send + Sync {
    /// Another seeding seems to hold the database.
    fn waiting(&self);
    /// `found` of `wanted` products are there already; the rest is to come.
    fn begin(&self, found: u64, wanted: u64);
    /// `rows` products are there now.
    fn loaded(&self, rows: u64);
    /// All products are there; the part `name` is being built, the `number`-th of `of`.
    fn step(&self, name: &str, number: usize, of: usize);
    /// It is over, well or not.
    fn end(&self);
}

/// A bar if somebody watches standard error, lines in the log if not.
pub fn for_stderr() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() { Box::new(Bar::new()) } else { Box::new(Lines::default()) }
}

/// A bar on a terminal.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar on standard error, shown from the first news on.
    pub fn new() -> Self {
        Self(ProgressBar::no_length())
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }

    fn spin(&self, message: String) {
        self.style("{spinner} {msg} ({elapsed})");
        self.0.set_message(message);
        self.0.enable_steady_tick(Duration::from_millis(100));
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn waiting(&self) {
        self.spin("waiting for another seeding of this database".into());
    }

    fn begin(&self, found: u64, wanted: u64) {
        self.style("seeding {bar:30} {human_pos} of {human_len} products, {per_sec}, {eta} left");
        self.0.disable_steady_tick();
        self.0.set_length(wanted);
        self.0.set_position(found);
        // What was there before says nothing about the pace.
        self.0.reset_eta();
    }

    fn loaded(&self, rows: u64) {
        self.0.set_position(rows);
    }

    fn step(&self, name: &str, number: usize, of: usize) {
        self.spin(format!("building {name} ({number} of {of})"));
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Lines in the log: every tenth of the way, at least every five seconds, and at each step.
#[derive(Debug, Default)]
pub struct Lines(Mutex<Option<Said>>);

/// The last line that was written.
#[derive(Debug, Clone, Copy)]
struct Said {
    at: Instant,
    rows: u64,
    wanted: u64,
}

impl Said {
    const INTERVAL: Duration = Duration::from_secs(5);

    /// Whether `rows` are worth another line, `later` after this one.
    fn is_old(&self, rows: u64, later: Duration) -> bool {
        let tenth = |rows: u64| rows.saturating_mul(10) / self.wanted.max(1);
        later >= Self::INTERVAL || tenth(rows) > tenth(self.rows)
    }
}

impl Progress for Lines {
    fn waiting(&self) {
        tracing::info!("waiting for another seeding of this database");
    }

    fn begin(&self, found: u64, wanted: u64) {
        tracing::info!(found, wanted, "seeding");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Said { at: Instant::now(), rows: found, wanted });
    }

    fn loaded(&self, rows: u64) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = *said else { return };
        let later = last.at.elapsed();
        if last.is_old(rows, later) {
            let pace = (rows - last.rows) as f64 / later.as_secs_f64().max(0.001);
            tracing::info!(
                "seeded {} of {} products, {}/s",
                HumanCount(rows),
                HumanCount(last.wanted),
                HumanCount(pace as u64)
            );
            *said = Some(Said { at: Instant::now(), rows, ..last });
        }
    }

    fn step(&self, name: &str, number: usize, of: usize) {
        tracing::info!("building {name} ({number} of {of})");
    }

    fn end(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_tenth_and_every_five_seconds() {
        let said = Said { at: Instant::now(), rows: 190, wanted: 1_000 };
        assert!(!said.is_old(199, Duration::from_secs(4)));
        assert!(said.is_old(199, Duration::from_secs(5)));
        assert!(said.is_old(200, Duration::ZERO));
    }
}
