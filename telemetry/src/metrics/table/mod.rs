//! The table of all metrics, a file a group. Names are those of OpenTelemetry's semantic conventions where there is
//! one, and begin with `farmlokal.` where there is none; Prometheus' own for the process.

pub mod access;
pub mod cache;
pub mod database;
pub mod http;
pub mod operator;
pub mod process;
pub mod search;
pub mod seed;
pub mod subscriptions;
pub mod suppliers;
pub mod webhooks;

use super::Metric;

/// Metrics that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// Who records them.
    pub by: By,
    /// The metrics.
    pub metrics: &'static [&'static Metric],
}

/// Who records a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `farmlokal`, on its admin port.
    Service,
    /// `farmlokal-seed` and `farmlokal seed`, pushed only: they have no port.
    Seed,
    /// `farmlokal-operator`, on its port for metrics.
    Operator,
    /// All of them.
    Everybody,
}

/// All groups, in the order of the documentation.
pub static GROUPS: &[&Group] = &[
    &http::GROUP,
    &database::GROUP,
    &cache::GROUP,
    &search::GROUP,
    &access::GROUP,
    &webhooks::GROUP,
    &subscriptions::GROUP,
    &suppliers::GROUP,
    &process::GROUP,
    &seed::GROUP,
    &operator::GROUP,
];

/// All metrics.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    GROUPS.iter().flat_map(|group| group.metrics).copied()
}

/// The metric called `name`, in OpenTelemetry's form.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

/// Upper boundaries for how long an answer takes, in seconds: most of ours take 0.02 to 5 ms.
pub(crate) const LATENCY: &[f64] =
    &[0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
/// Upper boundaries for waits, in seconds: from what no caller notices to what none bears.
pub(crate) const WAIT: &[f64] = &[
    0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0,
    5.0,
];
/// Upper boundaries for work in the background, in seconds.
pub(crate) const WORK: &[f64] = &[0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metrics::{Kind, Values};
    use crate::pool;

    #[test]
    fn every_metric_is_declared_once_and_whole() {
        let names: Vec<_> = all().map(Metric::prometheus_name).collect();
        let unique: BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
        for metric in all() {
            assert!(metric.help.ends_with('.') && metric.help.len() > 15, "{}", metric.name);
            let known = metric.name.starts_with("farmlokal.") || metric.name.starts_with("process.");
            assert!(
                known || metric.name.starts_with("http.server.") || metric.name.starts_with("db.client."),
                "{}",
                metric.name
            );
            if let Kind::Histogram(boundaries) = metric.kind {
                assert!(boundaries.is_sorted() && metric.unit == "s", "{}", metric.name);
            }
        }
    }

    #[test]
    fn the_bound_on_series_holds_all_values_of_the_labels() {
        for metric in all() {
            let values = metric.labels.iter().map(|label| match label.values {
                Values::OneOf(values) => values.len(),
                Values::Few(_) => 1,
            });
            let needed: usize = values.product();
            let open = metric.labels.iter().any(|label| matches!(label.values, Values::Few(_)));
            assert!(metric.series >= needed && metric.series <= 1_000, "{}", metric.name);
            assert!(open || metric.series == needed, "{}: {needed} series are all there can be", metric.name);
        }
    }

    /// The operator reads these on `/metrics`, by the names in `pool`.
    #[test]
    fn the_pools_metrics_are_called_as_the_operator_expects() {
        let names: Vec<_> = all().map(Metric::prometheus_name).collect();
        for name in [
            pool::WAIT_TIME,
            pool::USE_TIME,
            pool::IN_USE_TIME,
            pool::TIMEOUTS,
            pool::REFUSALS,
            pool::COUNT,
            pool::PENDING,
            pool::APPLIED,
            pool::MAX,
            pool::GENERATION,
        ] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert_eq!(database::POOL.prometheus_name(), pool::POOL);
        assert_eq!(database::STATE.prometheus_name(), pool::STATE);
    }
}
