//! The section about the cache.

use super::ceiling::EACH;
use super::{Caching, Outcome, herd};
use crate::bench::measure::document::reached;
use crate::bench::measure::table::table;
use crate::bench::measure::turns::ROUNDS;

impl Caching {
    /// Targets and figures.
    pub(in crate::bench::measure) fn section(&self, seconds: u32) -> String {
        let Self { ceiling, shared, herd, shop } = self;
        let row = |name: &str, answers: &Outcome| {
            let numbers = [answers.quantile(0.5), answers.quantile(0.95), answers.quantile(0.99), answers.max()];
            [name.to_owned()].into_iter().chain(numbers.map(|number| format!("{number:.2}"))).collect::<Vec<_>>()
        };
        let rows = [
            row("a hit in Redis", shared),
            row(&format!("{} identical misses at once, two replicas", herd::CALLERS), &herd.answers),
            row("a shop's load, with the cache", &shop.cached),
            row("the same, without", &shop.uncached),
        ];
        let ((bare, hit), clock) = (ceiling.by_processor(), ceiling.by_clock());
        let (bare, hit) = ((bare, clock.0), (hit, clock.1));
        format!(
            "\n## The cache\n\n{}\n\
             Milliseconds, on MariaDB and Redis.\n\n{}\n\
             A hit in memory: {:.0} answers of {} bytes a second of the server's processor, where an endpoint of \
             poem that gives as many bytes and does nothing else has {:.0} ({:.0} and {:.0} a second by the clock, \
             with the clients on the other core; medians of {ROUNDS} turns of {:.2} s; what is compared is turns of one round).\n\n\
             A shop's load: Zipf over 5,000 questions of the mixed load, {} of its requests write. {:.1} % of the \
             questions were answered from the cache.\n",
            reached(&self.targets()),
            table(&["", "P50", "P95", "P99", "max"], &rows),
            hit.0,
            ceiling.bytes,
            bare.0,
            hit.1,
            bare.1,
            f64::from(EACH * seconds) / ROUNDS as f64,
            shop.writes,
            100.0 * shop.hit_ratio,
        )
    }
}
