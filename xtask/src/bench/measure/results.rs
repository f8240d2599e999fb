//! What came out for one engine, and whether it is what was wanted.

use std::fmt;
use std::time::Duration;

use super::caching::Caching;
use super::cases::{MIXED, PAGE_1, PAGE_100_000};
use super::first_start::FirstStart;
use super::outcome::Outcome;
use super::search::Searches;
use super::seeding::Filled;
use super::service::Memory;
use super::tracing::Tracing;

/// What came out for one engine.
pub(super) struct Results {
    pub(super) engine: &'static str,
    pub(super) about: String,
    pub(super) seeded: Filled,
    pub(super) imported: Filled,
    /// From the first to the last page, in two orders at a time.
    pub(super) walked: Duration,
    pub(super) measured: Vec<Measured>,
    pub(super) searches: Searches,
    /// Where it was measured.
    pub(super) caching: Option<Caching>,
    pub(super) tracing: Option<Tracing>,
    pub(super) first_start: Option<FirstStart>,
    /// First pages a second, as fast as they go.
    pub(super) throughput: f64,
    pub(super) memory: Memory,
}

/// What came out for one case.
pub(super) struct Measured {
    pub(super) name: &'static str,
    /// Requests a second.
    pub(super) rate: f64,
    pub(super) answers: Outcome,
    pub(super) bare: Outcome,
}

impl Measured {
    /// What the service adds to the statement, in milliseconds, at the median.
    pub(super) fn overhead(&self) -> f64 {
        self.answers.quantile(0.5) - self.bare.quantile(0.5)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| self.answers.quantile(share));
        write!(
            f,
            "{:45} {:4.0}/s  P50 {p50:.2} ms, P95 {p95:.2}, P99 {p99:.2}; statement {:.2}",
            self.name,
            self.rate,
            self.bare.quantile(0.5),
        )?;
        match self.answers.wrong {
            0 => Ok(()),
            wrong => write!(f, "; {wrong} answers WRONG"),
        }
    }
}

/// Something that is wanted, and what is there.
pub(super) struct Target {
    pub(super) what: &'static str,
    pub(super) is: String,
    pub(super) reached: bool,
}

impl Results {
    /// A line for each case with wrong answers.
    pub(super) fn wrong(&self) -> Vec<String> {
        let listings = self.measured.iter().filter_map(|case| case.answers.complaint(case.name));
        let cached = self.caching.iter().flat_map(Caching::wrong);
        listings.chain(self.searches.wrong()).chain(cached).map(|wrong| format!("{}, {wrong}", self.engine)).collect()
    }

    /// Every target, the same ones in the same order for each engine.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.catalogue().into_iter().chain(self.searches.targets()).collect()
    }

    /// The targets of the catalogue.
    fn catalogue(&self) -> Vec<Target> {
        let ratio = self.seeded.total().as_secs_f64() / self.imported.total().as_secs_f64();
        let p95 = self.quantile(MIXED, 0.95);
        let deep = self.quantile(PAGE_100_000, 0.5) / self.quantile(PAGE_1, 0.5);
        let worst = self.measured.iter().max_by(|a, b| a.overhead().total_cmp(&b.overhead()));
        let overhead = worst.map_or(f64::NAN, Measured::overhead);
        let median = self.median_overhead();
        let Memory { now, peak } = self.memory;
        let target = |what, is, reached| Target { what, is, reached };
        vec![
            target("seeding within 1.5 times the engine's own import", format!("{ratio:.2} times"), ratio <= 1.5),
            target("P95 of the mixed load under 10 ms", format!("{p95:.2} ms"), p95 < 10.0),
            target("page 100,000 within 1.1 times page 1 (P50)", format!("{deep:.2} times"), deep <= 1.1),
            target(
                "service within 1 ms of the bare statement (P50)",
                format!("{median:.2} ms, at worst {overhead:.2} ms ({})", worst.map_or("", |case| case.name)),
                overhead < 1.0,
            ),
            target(
                "resident memory under 150 MB while serving",
                format!("{now:.0} MB, at most {peak:.0} MB"),
                peak < 150.0,
            ),
        ]
    }

    fn quantile(&self, case: &str, share: f64) -> f64 {
        let case = self.measured.iter().find(|measured| measured.name == case);
        case.map_or(f64::NAN, |case| case.answers.quantile(share))
    }

    /// The overhead of the case in the middle.
    fn median_overhead(&self) -> f64 {
        let mut all: Vec<f64> = self.measured.iter().map(Measured::overhead).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    }
}
