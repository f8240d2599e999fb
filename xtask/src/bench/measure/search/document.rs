//! The section about searches.

use super::{Line, Load, Searches};
use crate::bench::measure::table::table;

impl Searches {
    /// Tables and what is to be known about the index.
    pub(in crate::bench::measure) fn section(&self, engine: &str) -> String {
        let headings =
            ["kind", "rate/s", "P50", "P95", "P99", "max", "SQL rate/s", "SQL P50", "SQL P95", "times quicker"];
        let rows: Vec<Vec<String>> = self.lines.iter().map(Line::row).collect();
        format!(
            "\n## Searching, with {engine}\n\n\
             Milliseconds by the search index, and by the full text of the engine.\n\n{}\n\
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
        let Load { rate, answers } = &self.by_index;
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| answers.quantile(share));
        let numbers = [p50, p95, p99, answers.max()].map(|number| format!("{number:.2}"));
        let by_sql = match &self.by_sql {
            None => [(); 4].map(|()| "-".to_owned()),
            Some(Load { answers, .. }) if answers.wrong > 0 => {
                [(); 4].map(|()| format!("{} of {} failed", answers.wrong, answers.count()))
            }
            Some(Load { rate, answers }) => {
                let [sql_p50, sql_p95] = [0.5, 0.95].map(|share| answers.quantile(share));
                let numbers = [sql_p50, sql_p95].map(|number| format!("{number:.2}"));
                let [p50, p95] = numbers;
                [format!("{rate:.0}"), p50, p95, format!("{:.1}", sql_p50 / self.by_index.answers.quantile(0.5))]
            }
        };
        [self.name.to_owned(), format!("{rate:.0}")].into_iter().chain(numbers).chain(by_sql).collect()
    }

    /// The line for those who watch.
    pub(super) fn said(&self) -> String {
        let p95 = |load: &Load| load.answers.quantile(0.95);
        let by_sql = self.by_sql.as_ref().map_or_else(String::new, |load| format!(", by SQL {:.2} ms", p95(load)));
        let wrong = self.by_index.answers.wrong;
        let wrong = if wrong > 0 { format!("; {wrong} answers WRONG") } else { String::new() };
        let Load { rate, .. } = self.by_index;
        format!("{:45} {rate:4.0}/s  P95 {:.2} ms{by_sql}{wrong}", self.name, p95(&self.by_index))
    }
}
