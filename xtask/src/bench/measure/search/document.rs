//! The section about searches.

use super::{Line, Searches};
use crate::bench::measure::table::table;

impl Searches {
    /// Tables and what is to be known about the index.
    pub(in crate::bench::measure) fn section(&self, engine: &str) -> String {
        let headings = ["kind", "rate/s", "P50", "P95", "P99", "max"];
        let rows: Vec<Vec<String>> = self.lines.iter().map(Line::row).collect();
        format!(
            "\n## Searching, with {engine}\n\n\
             Milliseconds by the search index.\n\n{}\n\
             The index: {} products, {:.0} MB on disk, built in {:.1} s beside the running service. Memory of \
             the service: {:.0} MB at most while it was built, {:.0} MB after all searches.\n",
            table(&headings, &rows),
            self.built.documents,
            self.built.megabytes,
            self.built.seconds,
            self.building.peak,
            self.serving.now,
        )
    }
}

impl Line {
    fn row(&self) -> Vec<String> {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| self.answers.quantile(share));
        let numbers = [p50, p95, p99, self.answers.max()].map(|number| format!("{number:.2}"));
        [self.name.to_owned(), format!("{:.0}", self.rate)].into_iter().chain(numbers).collect()
    }

    /// The line for those who watch.
    pub(super) fn said(&self) -> String {
        let Self { name, rate, answers } = self;
        let wrong = if answers.wrong > 0 { format!("; {} answers WRONG", answers.wrong) } else { String::new() };
        format!("{name:45} {rate:4.0}/s  P95 {:.2} ms{wrong}", answers.quantile(0.95))
    }
}
